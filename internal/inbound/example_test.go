package inbound_test

import (
	"fmt"
	"net/http/httptest"
	"net/netip"

	"github.com/hubgate/hubgate/internal/inbound"
)

// Only a trusted proxy may name the visitor's address: X-Forwarded-For from other clients is ignored.
func ExampleResolver() {
	site, _ := inbound.ParseSite("https://www.example.com")
	resolver := inbound.New(inbound.Config{
		Sites:   []*inbound.Site{site},
		Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
	})
	for _, peer := range []string{"10.0.0.7:4711", "198.51.100.9:4711"} {
		r := httptest.NewRequest("GET", "http://www.example.com/members/", nil)
		r.RemoteAddr = peer
		r.Header.Set("X-Forwarded-For", "6.6.6.6, 203.0.113.5") // the proxy appended the second address
		r.Header.Set("X-Forwarded-Proto", "https")
		facts := inbound.Of(resolver.Resolve(r))
		fmt.Println(facts.Trusted, facts.Client, facts.Scheme, facts.Site.Origin())
	}
	// Output:
	// true 203.0.113.5 https https://www.example.com
	// false 198.51.100.9 http https://www.example.com
}
