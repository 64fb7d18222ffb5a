package proxy

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/hubgate/hubgate/internal/setting"
)

// headersOf responds with the request's headers, sorted, one per line.
func headersOf(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	lines := []string{"Host: " + r.Host}
	for name, values := range r.Header {
		for _, v := range values {
			lines = append(lines, name+": "+v)
		}
	}
	for name := range r.Trailer {
		lines = append(lines, "TRAILER "+name)
	}
	sort.Strings(lines)
	fmt.Fprintf(w, "%s %s %q\n%s", r.Method, r.RequestURI, body, strings.Join(lines, "\n"))
}

func TestOriginGetsGatewaysHeaders(t *testing.T) {
	t.Parallel()
	origin := newOrigin(t, headersOf)
	s := newStage(t, staging{cfg: testConfig(origin.URL, loginRule("/members/**"))})
	spoofed := []string{"X-HS-Public-Host", "x-hs-public-host", "X_HS_Public_Host", "X.HS.Public.Host",
		"X-HubSpot-Client-IP", "X-Hubspot-Trust-Forwarded-For", "X-HubSpot-Anything", "X-Forwarded-For",
		"X-FORWARDED-HOST", "X_Forwarded_For",
		"X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Uri", "X-Forwarded-Anything",
		"Forwarded", "X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP", "CF-IPCountry",
		"CF_Connecting_IP", "X-Original-URL",
		"X-Original-Host", "X-Rewrite-URL", "X-Host", "X-Cluster-Client-IP", "Fastly-Client-IP", "X-HTTP-Method",
		"X-HTTP-Method-Override", "X-Method-Override", "X-Middleware-Subrequest", "Proxy", "X-Auth-Request-User",
		"X-Auth-Request-Email", "X_Auth_Request_Email",
		"X-Request-Id", "traceparent", "Proxy-Authorization", "Keep-Alive", "Proxy-Connection", "TE",
		"Transfer_Encoding", "Content_Length", "X!Y", "Expect_"}
	headers := []string{"User-Agent: test", "Accept-Language: de", "X-Custom: kept",
		"Cookie: __Host-hubgate=alice; hubspotutk=abc; __Host-hubgate-login-ABCDEFGH=x; __HOST-HUBGATE=y; a=\"b c\"",
		"Cookie: __Host-hubgate-loop=1; last=z",
		"Connection: close, X-HS-Public-Host, X-Named, X-Forwarded-For", "X-Named: removed"}
	for _, name := range spoofed {
		headers = append(headers, name+": SPOOFED", name+": SPOOFED2")
	}
	got := s.get(t, "GET", "/members/a%2Bb?c;d=%zz&d", headers...)
	id := s.last.Load().ID
	want := "GET /members/a%2Bb?c;d=%zz&d \"\"\n" + strings.Join([]string{
		"Accept-Language: de", `Cookie: hubspotutk=abc; a="b c"; last=z`, "Host: " +
			strings.TrimPrefix(origin.URL, "http://"), "User-Agent: test", "X-Client-Ip: 127.0.0.1", "X-Custom: kept",
		"X-Forwarded-For: 127.0.0.1",
		"X-Forwarded-Host: www.example.com", "X-Forwarded-Proto: https", "X-Hs-Public-Host: www.example.com",
		"X-Hubspot-Client-Ip: 127.0.0.1", "X-Hubspot-Trust-Forwarded-For: true", "X-Request-Id: " + id}, "\n")
	if d := cmp.Diff(want, got.body); d != "" {
		t.Error(d)
	}
}

func TestValidatorsOfProtectedPagesAreRemoved(t *testing.T) {
	t.Parallel()
	origin := newOrigin(t, headersOf)
	conditions := []string{asBob, `If-None-Match: "x"`, "If-Modified-Since: Mon, 01 Jan 2035 00:00:00 GMT",
		`If-Range: "x"`, "Range: bytes=0-3"}
	s := newStage(t, staging{cfg: testConfig(origin.URL, loginRule("/members/**"), loginRule("/hubfs/members/**"))})
	for _, target := range []string{"/members/a", "/hubfs/members/a.pdf"} {
		got := s.get(t, "GET", target, conditions...).body
		if strings.Contains(got, "If-") || !strings.Contains(got, "Range: bytes=0-3") {
			t.Errorf("%s: %s", target, got)
		}
	}
	if got := s.get(t, "GET", "/public", conditions...).body; strings.Count(got, "If-") != 3 {
		t.Errorf("a public page: %s", got)
	}
	cfg := testConfig(origin.URL, loginRule("/hubfs/members/**"))
	cfg.FilesCache = "private"
	if got := newStage(t, staging{cfg: cfg}).get(t, "GET", "/hubfs/members/a.pdf",
		conditions...).body; strings.Count(got, "If-") != 3 {
		t.Errorf("files_cache private: %s", got)
	}
}

func TestProtectedResponseIsNotCached(t *testing.T) {
	t.Parallel()
	origin := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		for name, value := range map[string]string{"Cache-Control": "public, s-maxage=600", "CDN-Cache-Control": "max-age=9",
			"Cloudflare-CDN-Cache-Control": "max-age=9", "Surrogate-Control": "max-age=9", "Surrogate-Key": "k",
			"Cache-Tag":      "t",
			"Edge-Cache-Tag": "t", "Expires": "Mon, 01 Jan 2035 00:00:00 GMT", "Age": "7", "Pragma": "cache",
			"ETag": `"x"`, "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT", "X-Kept": "yes"} {
			h.Set(name, value)
		}
		h.Set("Content-Type", r.URL.Query().Get("type"))
		status := http.StatusOK
		fmt.Sscan(r.URL.Query().Get("status"), &status)
		w.WriteHeader(status)
	})
	cfg := testConfig(origin.URL, loginRule("/members/**"), loginRule("/hubfs/members/**"))
	strict := newStage(t, staging{cfg: cfg})
	cfg.FilesCache = "private"
	private := newStage(t, staging{cfg: cfg})
	for _, c := range []struct {
		stage            *stage
		target, cc, etag string
		untouched        bool
	}{
		{strict, "/public", "public, s-maxage=600", `"x"`, true},
		{strict, "/members/a", "private, no-store", "", false},
		{strict, "/members/a?status=404", "private, no-store", "", false},
		{strict, "/members/a?status=500", "private, no-store", "", false},
		{strict, "/members/a?status=301", "private, no-store", "", false},
		{strict, "/members/a?status=429", "private, no-store", "", false},
		{strict, "/members/a?status=206", "private, no-store", "", false},
		{strict, "/hubfs/members/a.pdf?type=application/pdf", "private, no-store", "", false},
		{private, "/hubfs/members/a.pdf?type=application/pdf", "private, no-cache", `"x"`, false},
		{private, "/hs-fs/hubfs/members/a.png?type=image/png", "private, no-cache", `"x"`, false},
		{private, "/hubfs/members/a?type=text/html", "private, no-store", "", false},
		{private, "/hubfs/members/a?type=application/json", "private, no-store", "", false},
		{private, "/members/a?type=image/png", "private, no-store", "", false},
	} {
		got := c.stage.get(t, "GET", c.target, asBob).Header
		if got.Get("Cache-Control") != c.cc || got.Get("Etag") != c.etag || got.Get("X-Kept") != "yes" {
			t.Errorf("%s: Cache-Control %q, ETag %q", c.target, got.Get("Cache-Control"), got.Get("Etag"))
		}
		for _, name := range []string{"Cdn-Cache-Control", "Cloudflare-Cdn-Cache-Control", "Surrogate-Control",
			"Surrogate-Key", "Cache-Tag", "Edge-Cache-Tag", "Expires", "Age", "Pragma"} {
			if (got.Get(name) != "") != c.untouched {
				t.Errorf("%s: %s %q", c.target, name, got.Get(name))
			}
		}
	}
}

func TestLocationOfOriginBecomesPublic(t *testing.T) {
	t.Parallel()
	var self string
	origin := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", strings.ReplaceAll(r.URL.Query().Get("to"), "ORIGIN", self))
		w.Header()["Set-Cookie"] = []string{"a=1; Domain=4711.sites-proxy.hscoscdn10.net; Path=/",
			"b=2; domain=.hscoscdn10.net; Secure", "c=3; Domain=example.com", "d=4",
			"__Host-hubgate=evil; Secure; Path=/", "__HOST-hubgate=evil", " __Host-hubgate-login-AAAAAAAA=evil",
			"=__Host-hubgate=evil", "e=5; Domain=other.net"}
		w.WriteHeader(http.StatusFound)
	})
	self = strings.TrimPrefix(origin.URL, "http://")
	cfg := testConfig(origin.URL)
	cfg.OriginHost = "4711.sites-proxy.hscoscdn10.net"
	s := newStage(t, staging{cfg: cfg})
	for to, want := range map[string]string{
		"http://ORIGIN/a%2520b?c=d": "https://www.example.com/a%20b?c=d", "//ORIGIN/a": "https://www.example.com/a",
		"https://4711.sites-proxy.hscoscdn10.net/x":     "https://www.example.com/x",
		"https://4711.SITES-PROXY.hscoscdn10.net:443/x": "https://www.example.com/x", "/relative": "/relative",
		"https://elsewhere.example/x": "https://elsewhere.example/x",
		"http://127.0.0.1:1/x":        "http://127.0.0.1:1/x",
	} {
		got := s.get(t, "GET", "/?to="+to)
		if l := got.Header.Get("Location"); l != want {
			t.Errorf("%s became %s, want %s", to, l, want)
		}
		if d := cmp.Diff([]string{"a=1; Domain=www.example.com; Path=/", "b=2; Domain=www.example.com; Secure",
			"c=3; Domain=example.com", "d=4", "e=5; Domain=other.net"}, got.Header["Set-Cookie"]); d != "" {
			t.Error(d)
		}
	}
}

func TestInformationalResponsesAndTrailersAreDropped(t *testing.T) {
	t.Parallel()
	origin := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "__Host-hubgate=evil")
		w.Header().Set("Link", "</members/secret.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusProcessing)
		w.Header().Del("Set-Cookie")
		w.Header().Set("Trailer", "X-Late")
		w.Write([]byte("body"))
		w.Header().Set("X-Late", "1")
		w.Header().Set(http.TrailerPrefix+"Set-Cookie", "__Host-hubgate=evil")
	})
	s := newStage(t, staging{cfg: testConfig(origin.URL, loginRule("/members/**"))})
	for _, target := range []string{"/members/a", "/public"} {
		got := s.raw(t, "GET "+target+" HTTP/1.1\r\nHost: "+testHost+"\r\n"+asBob+"\r\nConnection: close\r\n\r\n")
		if !strings.HasPrefix(got, "HTTP/1.1 200 ") || strings.Contains(got, "evil") ||
			strings.Contains(got, "X-Late") {
			t.Errorf("%s:\n%s", target, got)
		}
	}
}

func TestOriginFailuresAreClassified(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	var silent http.HandlerFunc = func(http.ResponseWriter, *http.Request) { <-hang }
	slow := newOrigin(t, silent)
	t.Cleanup(func() { close(hang) })
	broken := newOrigin(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	untrusted := httptest.NewUnstartedServer(silent)
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for _, c := range []struct {
		name, origin, reason string
		status               int
	}{
		{"closed port", "http://" + closed.Addr().String(), "dial", 502},
		{"no answer in time", slow.URL, "timeout", 504},
		{"hung up", broken.URL, "reset", 502},
		{"an untrusted certificate", untrusted.URL, "tls", 502},
	} {
		cfg := testConfig(c.origin)
		cfg.Timeouts.ResponseHeader = setting.Duration(100 * time.Millisecond)
		s := newStage(t, staging{cfg: cfg})
		got := s.get(t, "GET", "/", "Accept: text/html")
		o := s.last.Load().Outcome
		if got.StatusCode != c.status || o.Decision != "error" || o.Reason != "upstream_"+c.reason ||
			!strings.Contains(got.body, s.last.Load().ID) {
			t.Errorf("%s: %d %s %s, want %d %s\n%s", c.name, got.StatusCode, o.Decision, o.Reason, c.status, c.reason,
				got.body)
		}
		if n := testutil.ToFloat64(s.deps.Metrics.errors.WithLabelValues(c.reason)); n != 1 {
			t.Errorf("%s: counted %v times", c.name, n)
		}
	}
}

func TestThrottleAndChallengePass(t *testing.T) {
	t.Parallel()
	origin := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "__cf_bm=1")
		w.Header().Set("Retry-After", "7")
		if strings.HasSuffix(r.URL.Path, "429") {
			w.WriteHeader(http.StatusTooManyRequests)
		} else {
			w.Header().Set("Cf-Mitigated", "challenge")
			w.WriteHeader(http.StatusForbidden)
		}
		io.WriteString(w, "<html>as HubSpot wrote it")
	})
	s := newStage(t, staging{cfg: testConfig(origin.URL, loginRule("/members/**"))})
	for _, target := range []string{"/429", "/403", "/members/429", "/members/403"} {
		got := s.get(t, "GET", target, asBob)
		if !strings.HasSuffix(target, fmt.Sprint(got.StatusCode)) || got.body != "<html>as HubSpot wrote it" ||
			got.Header.Get("Set-Cookie") != "__cf_bm=1" {
			t.Errorf("%s: %d %q %v", target, got.StatusCode, got.body, got.Header)
		}
	}
	for _, reason := range []string{"rate_limited", "challenge"} {
		if n := testutil.ToFloat64(s.deps.Metrics.errors.WithLabelValues(reason)); n != 2 {
			t.Errorf("%s counted %v times", reason, n)
		}
	}
}
