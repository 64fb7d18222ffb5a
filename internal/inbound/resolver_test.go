package inbound

import (
	"crypto/tls"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func resolver(t *testing.T, trusted ...string) *Resolver {
	t.Helper()
	www, ok := ParseSite("https://www.example.com")
	if !ok {
		t.Fatal("site")
	}
	local, _ := ParseSite("http://localhost:8080")
	cfg := Config{Sites: []*Site{www, local}, RedirectFrom: map[string]*Site{"example.com": www}}
	for _, cidr := range trusted {
		cfg.Trusted = append(cfg.Trusted, netip.MustParsePrefix(cidr))
	}
	return New(cfg)
}

func TestClientIsRightmostUntrustedHop(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		peer    string
		forward []string
		want    string
	}{
		"no proxy":                          {"203.0.113.9:1", nil, "203.0.113.9"},
		"untrusted peer's header":           {"203.0.113.9:1", []string{"1.2.3.4"}, "203.0.113.9"},
		"one trusted proxy":                 {"10.0.0.1:1", []string{"198.51.100.7"}, "198.51.100.7"},
		"what the client wrote is ignored":  {"10.0.0.1:1", []string{"1.2.3.4, 198.51.100.7"}, "198.51.100.7"},
		"two trusted proxies":               {"10.0.0.1:1", []string{"1.2.3.4, 198.51.100.7, 10.0.0.2"}, "198.51.100.7"},
		"several header lines are one list": {"10.0.0.1:1", []string{"1.2.3.4", "198.51.100.7"}, "198.51.100.7"},
		"garbage ends the walk":             {"10.0.0.1:1", []string{"1.2.3.4, not-an-ip, 10.0.0.2"}, "10.0.0.2"},
		"a port is dropped":                 {"10.0.0.1:1", []string{"198.51.100.7:4711"}, "198.51.100.7"},
		"IPv6 in brackets":                  {"[::ffff:10.0.0.1]:1", []string{"[2001:db8::1]:443"}, "2001:db8::1"},
		"IPv4-mapped IPv6":                  {"[::ffff:203.0.113.9]:1", nil, "203.0.113.9"},
		"every hop is trusted":              {"10.0.0.1:1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"empty header":                      {"10.0.0.1:1", []string{""}, "10.0.0.1"},
	} {
		r := httptest.NewRequest("GET", "http://www.example.com/", nil)
		r.RemoteAddr = c.peer
		for _, v := range c.forward {
			r.Header.Add("X-Forwarded-For", v)
		}
		if got := Of(resolver(t, "10.0.0.0/8").Resolve(r)).Client.String(); got != c.want {
			t.Errorf("%s: client %s, want %s", name, got, c.want)
		}
	}
}

func TestSiteMatchesEverySpellingOfHost(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"www.example.com":        "https://www.example.com",
		"WWW.Example.Com":        "https://www.example.com",
		"www.example.com.":       "https://www.example.com",
		"www.example.com:443":    "https://www.example.com",
		"localhost:8080":         "http://localhost:8080",
		"localhost":              "",
		"www.example.com:80":     "",
		"www.example.com:8443":   "",
		"evil.com":               "",
		"www.example.com.evil":   "",
		"xwww.example.com":       "",
		"":                       "",
		"www.example.com@evil":   "",
		"[www.example.com]":      "",
		"www.example.com:443:80": "",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = host
		got := ""
		if site := Of(resolver(t).Resolve(r)).Site; site != nil {
			got = site.Origin()
		}
		if got != want {
			t.Errorf("Host %q is %q, want %q", host, got, want)
		}
	}
}

func TestSiteRedirectsFromOtherName(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("GET", "http://EXAMPLE.com/", nil)
	f := Of(resolver(t).Resolve(r))
	if f.Site != nil || f.RedirectTo == nil || f.RedirectTo.Host != "www.example.com" {
		t.Errorf("%+v", f)
	}
}

func TestSchemeComesFromConnectionOrTrustedProxy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		peer  string
		proto []string
		tls   bool
		want  string
	}{
		"plain":                                 {"203.0.113.9:1", nil, false, "http"},
		"TLS ends here":                         {"203.0.113.9:1", nil, true, "https"},
		"untrusted peer's header":               {"203.0.113.9:1", []string{"https"}, false, "http"},
		"trusted proxy":                         {"10.0.0.1:1", []string{"https"}, false, "https"},
		"trusted proxy, capitals":               {"10.0.0.1:1", []string{"HTTPS"}, false, "https"},
		"one hop wrote the last value":          {"10.0.0.1:1", []string{"https, http"}, false, "http"},
		"several lines are one list":            {"10.0.0.1:1", []string{"http", "https"}, false, "https"},
		"trusted proxy without the header":      {"10.0.0.1:1", nil, false, ""},
		"trusted proxy sends an unknown scheme": {"10.0.0.1:1", []string{"gopher"}, false, ""},
	} {
		r := httptest.NewRequest("GET", "http://www.example.com/", nil)
		r.RemoteAddr = c.peer
		if c.tls {
			r.TLS = &tls.ConnectionState{}
		}
		for _, v := range c.proto {
			r.Header.Add("X-Forwarded-Proto", v)
		}
		if got := Of(resolver(t, "10.0.0.0/8").Resolve(r)).Scheme; got != c.want {
			t.Errorf("%s: scheme %q, want %q", name, got, c.want)
		}
	}
}

func TestRequestIDComesOnlyFromTrustedProxy(t *testing.T) {
	t.Parallel()
	for id, kept := range map[string]bool{"abc-123": true, "a\nb": false, "a b": false, "": false, `a"b`: false} {
		r := httptest.NewRequest("GET", "http://www.example.com/", nil)
		r.RemoteAddr = "10.0.0.1:1"
		r.Header["X-Request-Id"] = []string{id}
		got := Of(resolver(t, "10.0.0.0/8").Resolve(r)).ID
		if (got == id) != kept || got == "" {
			t.Errorf("%q became %q", id, got)
		}
		if got := Of(resolver(t).Resolve(r)).ID; got == id {
			t.Errorf("an untrusted peer's id %q was kept", id)
		}
	}
}

func TestParseSite(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	for _, text := range []string{
		"https://www.Example.com", "https://www.example.com/", "https://www.example.com:443", "https://www.example.com:8443",
		"https://www.example.com/path", "https://u@www.example.com", "https://www.example.com?x", "ftp://x",
		"www.example.com", "https://",
	} {
		if site, ok := ParseSite(text); ok {
			got[text] = site.Origin()
		}
	}
	want := map[string]string{
		"https://www.Example.com":      "https://www.example.com",
		"https://www.example.com/":     "https://www.example.com",
		"https://www.example.com:443":  "https://www.example.com",
		"https://www.example.com:8443": "https://www.example.com:8443",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func FuzzResolve(f *testing.F) {
	f.Add("203.0.113.9:1", "www.example.com", "1.2.3.4, 5.6.7.8", "https")
	f.Add("10.0.0.1:1", "[::1]:80", "[::1%eth0]:4", "http, https")
	f.Fuzz(func(t *testing.T, peer, host, forwarded, proto string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr, r.Host = peer, host
		r.Header["X-Forwarded-For"], r.Header["X-Forwarded-Proto"] = []string{forwarded}, []string{proto}
		facts := Of(resolver(t, "10.0.0.0/8").Resolve(r))
		if !facts.Trusted && (facts.Client != facts.Peer || facts.Scheme != "http") {
			t.Errorf("peer %q changed the facts: %+v", peer, facts)
		}
	})
}
