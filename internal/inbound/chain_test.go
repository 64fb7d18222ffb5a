package inbound

import (
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func TestSchemeComesFromHopNextToVisitor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, forwarded, proto, want, client string }{
		{"two hops", "198.51.100.7, 10.0.0.2", "https, http", "https", "198.51.100.7"},
		{"two hops, several lines", "198.51.100.7|10.0.0.2", "https|http", "https", "198.51.100.7"},
		{"three hops", "198.51.100.7, 10.0.0.3, 10.0.0.2", "https, http, http", "https", "198.51.100.7"},
		{"three hops, one without scheme", "198.51.100.7, 10.0.0.3, 10.0.0.2", "https, http", "https", "198.51.100.7"},
		{"one value", "198.51.100.7, 10.0.0.2", "http", "http", "198.51.100.7"},
		{"a visitor by http", "198.51.100.7, 10.0.0.2", "http, https", "http", "198.51.100.7"},
		{"a forged entry", "1.2.3.4, 198.51.100.7, 10.0.0.2", "http, https, http", "https", "198.51.100.7"},
		{"a forged entry before one hop", "10.9.9.9, 198.51.100.7", "https, http", "http", "198.51.100.7"},
		{"a trusted address", "10.9.9.9, 198.51.100.7, 10.0.0.2", "http, https, http", "https", "198.51.100.7"},
		{"a long forged list", "198.51.100.7, 10.0.0.2", strings.Repeat("http,", 300) + "https, http",
			"https", "198.51.100.7"},
		{"empty entries do not count", " , 198.51.100.7,, 10.0.0.2,", ",https,,http,", "https", "198.51.100.7"},
		{"capitals and tabs", "198.51.100.7,\t10.0.0.2", "HTTPS\t,\thttp", "https", "198.51.100.7"},
		{"WebSocket schemes", "198.51.100.7, 10.0.0.2", "wss, ws", "https", "198.51.100.7"},
		{"an unknown hop", "unknown, 10.0.0.2", "https, http", "https", "10.0.0.2"},
		{"an obfuscated visitor", "_hidden, 10.0.0.2", "https, http", "https", "10.0.0.2"},
		{"ports and brackets", "[2001:db8::1]:4711, [::ffff:10.0.0.2]:80", "https, http", "https", "2001:db8::1"},
		{"a zone", "fe80::1%eth0, 10.0.0.2", "https, http", "https", "fe80::1"},
		{"half a bracket", "[198.51.100.7, 10.0.0.2", "https, http", "https", "10.0.0.2"},
		{"IPv4 in brackets", "[198.51.100.7], 10.0.0.2", "https, http", "https", "10.0.0.2"},
		{"no X-Forwarded-For", "", "https, http", "http", "10.0.0.1"},
		{"a visitor inside", "10.0.0.9", "https", "https", "10.0.0.9"},
		{"an unknown scheme", "198.51.100.7, 10.0.0.2", "gopher, https", "", "198.51.100.7"},
		{"empty", "198.51.100.7, 10.0.0.2", "", "", "198.51.100.7"},
	} {
		r := httptest.NewRequest("GET", "http://www.example.com/", nil)
		r.RemoteAddr = "10.0.0.1:1"
		r.Header["X-Forwarded-For"] = strings.Split(c.forwarded, "|")
		r.Header["X-Forwarded-Proto"] = strings.Split(c.proto, "|")
		f := Of(resolver(t, "10.0.0.0/8").Resolve(r))
		if f.Scheme != c.want || f.Client.String() != c.client {
			t.Errorf("%s: %q from %s, want %q from %s", c.name, f.Scheme, f.Client, c.want, c.client)
		}
	}
}

func TestChainLengthIsBounded(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("GET", "http://www.example.com/", nil)
	r.RemoteAddr = "10.0.0.1:1"
	r.Header["X-Forwarded-For"] = []string{"198.51.100.7," + strings.Repeat("10.0.0.2,", 5000) + "10.0.0.3"}
	r.Header["X-Forwarded-Proto"] = []string{"https, http"}
	if f := Of(resolver(t, "10.0.0.0/8").Resolve(r)); f.Client.String() != "10.0.0.2" || f.Scheme != "https" {
		t.Errorf("%q from %s", f.Scheme, f.Client)
	}
}

func TestRequestIDIgnoresTwoHeaders(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("GET", "http://www.example.com/", nil)
	r.RemoteAddr = "10.0.0.1:1"
	r.Header["X-Request-Id"] = []string{"visitors", "balancers"}
	if id := Of(resolver(t, "10.0.0.0/8").Resolve(r)).ID; id == "visitors" || id == "balancers" {
		t.Errorf("%q was kept", id)
	}
}

// chain is a model of a visitor, who may send any header, and the trusted hops, the one next to the visitor first.
type chain struct {
	client  string
	schemes []string // of the request that each hop received
}

// at returns the address of hop i as the next hop writes it.
func (c chain) at(i int, spelling int) string {
	spellings := []string{"10.0.0.%d", "10.0.0.%d:4711", "::ffff:10.0.0.%d", "[::ffff:10.0.0.%d]:80"}
	return fmt.Sprintf(spellings[spelling%4], i+1)
}

// send returns the headers after every hop has appended to them. Hops for which silent returns true append no scheme.
func (c chain) send(forwarded, proto []string, spelling int, silent func(hop int) bool) (f, p []string) {
	from := c.client
	for i, scheme := range c.schemes {
		forwarded = append(forwarded, from)
		if !silent(i) {
			proto = append(proto, scheme)
		}
		from = c.at(i, spelling)
	}
	return forwarded, proto
}

// everyHop returns false: every hop appends its scheme.
func everyHop(int) bool { return false }

func (c chain) check(t *testing.T, forwarded, proto []string) {
	t.Helper()
	r := httptest.NewRequest("GET", "http://www.example.com/", nil)
	r.RemoteAddr = fmt.Sprintf("10.0.0.%d:1", len(c.schemes))
	r.Header["X-Forwarded-For"], r.Header["X-Forwarded-Proto"] = forwarded, proto
	f := Of(resolver(t, "10.0.0.0/8").Resolve(r))
	if f.Client != netip.MustParseAddr(c.client) || f.Scheme != c.schemes[0] {
		t.Errorf("%q %q: %q from %s, want %q from %s", forwarded, proto, f.Scheme, f.Client, c.schemes[0], c.client)
	}
}

// TestChainResistsForgedHeaders checks that the visitor's true address and scheme arrive through any chain whose hops
// all append, and through any chain whose first hop overwrites and whose others may append no scheme.
func TestChainResistsForgedHeaders(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(words ...string) string { return words[random.IntN(len(words))] }
	forged := func(words ...string) (list []string) {
		for range random.IntN(4) {
			list = append(list, pick(words...))
		}
		return list
	}
	for range 3000 {
		c := chain{client: pick("198.51.100.7", "2001:db8::1", "203.0.113.200")}
		for range 1 + random.IntN(5) {
			c.schemes = append(c.schemes, pick("http", "https"))
		}
		addresses := forged("1.2.3.4", "10.0.0.9", "unknown", "", "_x", "a, b", "10.0.0.1, 10.0.0.2")
		schemes := forged("http", "https", "", "gopher", "https, http, https")
		appended, proto := c.send(slices.Clone(addresses), slices.Clone(schemes), random.IntN(4), everyHop)
		c.check(t, appended, proto)
		c.check(t, []string{strings.Join(appended, ",")}, []string{strings.Join(proto, " ,")})
		quiet := random.Uint64()
		overwritten, fewer := c.send(nil, nil, random.IntN(4), func(i int) bool { return i > 0 && quiet>>i&1 == 1 })
		c.check(t, overwritten, fewer)
	}
}

func FuzzChainResistsForgedHeaders(f *testing.F) {
	f.Add("1.2.3.4, 10.0.0.9", "http, https", uint8(2), uint8(1), uint8(0))
	f.Add("[::1]:80, _hidden,,", "", uint8(1), uint8(0), uint8(3))
	f.Add("10.0.0.1,10.0.0.1", ",,https", uint8(7), uint8(0x55), uint8(2))
	f.Fuzz(func(t *testing.T, addresses, schemes string, hops, asked, spelling uint8) {
		c := chain{client: "198.51.100.7"}
		for i := range 1 + hops%8 {
			c.schemes = append(c.schemes, []string{"http", "https"}[asked>>i&1])
		}
		forwarded, proto := c.send([]string{addresses}, []string{schemes}, int(spelling), everyHop)
		c.check(t, forwarded, proto)
		c.check(t, []string{strings.Join(forwarded, ", ")}, []string{strings.Join(proto, ",")})
	})
}
