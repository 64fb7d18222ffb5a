package proxy

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/inbound"
)

// FuzzHeaders checks that the origin gets only the gateway's values, regardless of the client's headers.
func FuzzHeaders(f *testing.F) {
	for _, seed := range [][2]string{{"X-Forwarded-For", "1.2.3.4"}, {"x_forwarded_for", "1"}, {"X.Real.IP", "1"},
		{"Connection", "x-hs-public-host"}, {"Cookie", "__Host-hubgate=a; b=c"}, {"cf-connecting-ip", "9"},
		{"X-HS-Public-Host ", "evil"}} {
		f.Add(seed[0], seed[1])
	}
	g := &Gate{cfg: testConfig("https://1.sites-proxy.hscoscdn10.net"),
		deps: Deps{OwnsCookie: func(name string) bool { return strings.HasPrefix(name, "__Host-hubgate") }}}
	site := &inbound.Site{Scheme: "https", Host: testHost}
	f.Fuzz(func(t *testing.T, name, value string) {
		in := (&http.Request{}).WithContext(inbound.With(t.Context(), &inbound.Facts{ID: "id", Site: site}))
		h := http.Header{http.CanonicalHeaderKey(name): {value, "second"}, "Accept": {"kept"}}
		g.rewriteRequest(h, in, &exchange{protected: true})
		ours := map[string]string{"x-hs-public-host": testHost, "x-hubspot-trust-forwarded-for": "true",
			"x-forwarded-proto": "https", "x-forwarded-host": testHost, "x-request-id": "id"}
		seen := map[string]bool{}
		for key, values := range h {
			plain := strings.ToLower(strings.NewReplacer("_", "-", ".", "-", " ", "-").Replace(key))
			if want, set := ours[plain]; set && (len(values) != 1 || values[0] != want) {
				t.Fatalf("%s: %q, want %q", key, values, want)
			}
			if seen[plain] {
				t.Fatalf("two spellings of %s", plain)
			}
			seen[plain] = true
			for _, prefix := range []string{"x-hs-", "x-hubspot-", "x-forwarded-", "cf-", "x-original-",
				"x-middleware-", "x-auth-request-"} {
				if strings.HasPrefix(plain, prefix) && ours[plain] == "" {
					t.Fatalf("%s: %q passes", key, values)
				}
			}
		}
		for _, line := range h["Cookie"] {
			for _, pair := range strings.Split(line, ";") {
				if strings.HasPrefix(strings.ToLower(strings.TrimSpace(pair)), "__host-hubgate") {
					t.Fatalf("a cookie of ours passes: %q", line)
				}
			}
		}
		for name := range ours {
			if h.Get(name) == "" {
				t.Fatalf("%s is missing", name)
			}
		}
	})
}
