package e2e

import (
	"hash/crc32"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// The ids of two lists in HubSpot.
const customersList, betaList = "1234", "5678"

// newAccessSite starts everything but the gateways of a site on which HubSpot decides who may enter: /customers/ needs
// a list, /gold/ a property, and /members/ only a login. What HubSpot said is old after a quarter of an hour.
func newAccessSite(t *testing.T, o options) *site {
	t.Helper()
	if o.provider == nil {
		o.provider = people
	}
	o.config = config{
		"proxy.rules": `[{path: /members/**}, {path: /customers/**, lists: [customers]},
			{path: /gold/**, claims: {hubspot.member_tier: [gold]}}]`,
		"hubspot.access.lists":      "{customers: " + customersList + ", beta: " + betaList + "}",
		"hubspot.access.properties": "[member_tier]",
	}.with(o.config)
	return newSite(t, o)
}

// soon makes changes in HubSpot take effect within seconds.
var soon = config{"hubspot.access.refresh": "1s"}

// contact adds a contact of a person of the directory to HubSpot, or changes it.
func (s *site) contact(name, tier string, lists ...string) {
	s.crm.reads.put(crmContact{id: idOf(name), email: addressOf(name), lists: lists,
		properties: map[string]string{"member_tier": tier}})
}

// idOf returns a contact's id that is the same for the same name.
func idOf(name string) string {
	return strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(name))), 10)
}

// status returns the status of a page at a gateway, without following redirects. A page that is not admitted must not
// contain anything of the origin.
func (s *site) status(v *visitor, gateway int, path string) int {
	s.t.Helper()
	got := v.openAt(s, gateway, path)
	if got.StatusCode != http.StatusOK && strings.Contains(got.body, "<h1>page ") {
		s.t.Errorf("%s: %d with the page of the origin", path, got.StatusCode)
	}
	if retry := got.Header.Get("Retry-After"); got.StatusCode == http.StatusServiceUnavailable && retry == "" {
		s.t.Errorf("%s: 503 without Retry-After", path)
	}
	return got.StatusCode
}

// everywhere reports whether a page has a status at all gateways.
func (s *site) everywhere(v *visitor, path string, status int) bool {
	s.t.Helper()
	for i := range s.gateways {
		if s.status(v, i, path) != status {
			return false
		}
	}
	return true
}

// want checks the status of a page at all gateways.
func (s *site) want(who string, v *visitor, path string, status int) {
	s.t.Helper()
	for i := range s.gateways {
		if got := s.status(v, i, path); got != status {
			s.t.Errorf("%s at gateway %d: %s: %d, want %d", who, i, path, got, status)
		}
	}
}

// refusedBecause checks that a page has a status, says why, and is not stored for others or for later.
func (s *site) refusedBecause(p page, status int, why string) {
	s.t.Helper()
	vary := strings.Join(p.Header.Values("Vary"), ", ")
	if p.StatusCode != status || p.Header.Get("Cache-Control") != "no-store" || !strings.Contains(vary, "Accept") ||
		!strings.Contains(p.body, why) {
		s.t.Errorf("%s: %d, Cache-Control %q, Vary %q, not because %q:\n%s",
			p.Request.URL, p.StatusCode, p.Header.Get("Cache-Control"), vary, why, p.body)
	}
}

func TestListsDecideOnEveryReplica(t *testing.T) {
	t.Parallel()
	s := newAccessSite(t, options{provider: otherProvider, routed: true})
	const ada, ben = email, "test-user2@zitadel.ch"
	s.crm.reads.put(crmContact{id: "1", email: ada, lists: []string{"1", customersList}})
	s.crm.reads.put(crmContact{id: "2", email: ben, lists: []string{betaList}})
	s.crm.reads.put(crmContact{id: "3", email: "ben@example.com", additional: "b@example.com;" + ben})
	s.serve()
	s.serve()
	member, other := s.visitor(), s.visitor()
	s.login(member, "/customers/x")
	s.want("a member", member, "/customers/x", http.StatusOK)
	if n := s.crm.reads.asked(ada); n != 1 {
		t.Errorf("two replicas have read a member %d times", n)
	}
	s.form.user = "test-user2"
	s.login(other, "/members/")
	if n := s.crm.reads.asked(ben); n != 0 {
		t.Errorf("a page for everyone who is logged in has read a person %d times", n)
	}
	for i := range s.gateways {
		s.refusedBecause(other.openAt(s, i, "/customers/x"), http.StatusServiceUnavailable, "whether you have access")
		s.want("an unknown person", other, "/members/", http.StatusOK)
	}
	s.crm.reads.put(crmContact{id: "3"}) // HubSpot has merged the two
	eventually(t, "the other is known", func() bool {
		return s.everywhere(other, "/customers/x", http.StatusForbidden)
	})
	for i := range s.gateways {
		s.refusedBecause(other.openAt(s, i, "/customers/x"), http.StatusForbidden, "any of the lists")
	}
	for _, g := range s.gateways {
		g.set(soon)
	}
	s.crm.reads.put(crmContact{id: "1", email: ada, lists: []string{betaList}})
	s.crm.reads.put(crmContact{id: "2", email: ben, lists: []string{customersList}})
	eventually(t, "the change is in effect on both replicas", func() bool {
		return s.everywhere(member, "/customers/x", http.StatusForbidden) &&
			s.everywhere(other, "/customers/x", http.StatusOK)
	})
}
