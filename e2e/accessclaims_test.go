package e2e

import (
	"net/http"
	"testing"
)

// claimant is a person whose claims may be chosen by the person.
type claimant struct {
	claims    map[string]any
	contacts  []crmContact // of the address, or that a mistake could take for it
	customers int          // status of /customers/x
	gold      int          // status of /gold/x
	why       string       // on the page of /customers/x
}

var gold = map[string]string{"member_tier": "silver;gold"}

func claimants() map[string]claimant {
	const ok, no, unknown = http.StatusOK, http.StatusForbidden, http.StatusServiceUnavailable
	return map[string]claimant{
		"member": {nil, []crmContact{{email: addressOf("member"), properties: gold, lists: []string{customersList}}},
			ok, ok, ""},
		"forger": {map[string]any{
			"hubspot.member_tier": "gold", "HubSpot.member_tier": "gold", "member_tier": "gold",
			"hubspot": map[string]any{"member_tier": "gold", "lists": []string{"customers"}},
			"lists":   []string{"customers", customersList}, "hubspot.lists": []string{"customers"},
		}, []crmContact{{email: addressOf("forger"), properties: map[string]string{"member_tier": "golden"}}},
			no, no, "any of the lists"},
		"stranger": {map[string]any{"hubspot.member_tier": []string{"gold"}}, nil, no, no, "any of the lists"},
		"unverified": {map[string]any{"email_verified": false},
			[]crmContact{{email: addressOf("unverified"), properties: gold, lists: []string{customersList}}},
			no, no, "verified"},
		"silent": {map[string]any{"email_verified": nil},
			[]crmContact{{email: addressOf("silent"), properties: gold, lists: []string{customersList}}},
			no, no, "verified"},
		"second": {nil, []crmContact{{email: "first@example.com", additional: "a@example.com;" + addressOf("second"),
			properties: gold, lists: []string{customersList}}}, ok, ok, ""},
		"shouting": {map[string]any{"email": "Shouting@EXAMPLE.com"},
			[]crmContact{{email: addressOf("shouting"), lists: []string{customersList}}}, ok, no, ""},
		"twin": {nil, []crmContact{
			{email: addressOf("twin"), properties: gold, lists: []string{customersList}},
			{email: "other@example.com", additional: addressOf("twin"), properties: gold, lists: []string{customersList}},
		}, unknown, unknown, "whether you have access"},
		"addressless": {map[string]any{"email": ""}, []crmContact{{properties: gold, lists: []string{customersList}}},
			no, no, "verified"},
	}
}

func TestOnlyTheContactOfAVerifiedAddressCounts(t *testing.T) {
	t.Parallel()
	s := newAccessSite(t, options{routed: true})
	g := s.serve()
	all := claimants()
	for name, who := range all {
		for i, contact := range who.contacts {
			contact.id = idOf(name) + string(rune('1'+i))
			s.crm.reads.put(contact)
		}
	}
	for name, who := range all {
		v := s.person(name, who.claims)
		s.enters(v, "/members/")
		s.want(name, v, "/customers/x", who.customers)
		s.want(name, v, "/gold/x", who.gold)
		if who.why != "" {
			s.refusedBecause(v.openAt(s, 0, "/customers/x"), who.customers, who.why)
		}
	}
	for _, name := range []string{"unverified", "silent"} {
		if n := s.crm.reads.asked(addressOf(name)); n != 0 {
			t.Errorf("HubSpot was asked %d times about the address of %s", n, name)
		}
	}
	for _, claim := range []string{"hubspot", "hubspot.member_tier", "HubSpot.member_tier", "hubspot.lists"} {
		g.waitFor(`"claim":"` + claim + `"`) // that the log says is ignored
	}
}

// A contact's address can be given to another person.
func TestAccessMovesWithTheAddress(t *testing.T) {
	t.Parallel()
	s := newAccessSite(t, options{routed: true, config: soon})
	s.serve()
	s.serve()
	contact := crmContact{id: "101", email: addressOf("eve"), properties: gold, lists: []string{customersList}}
	s.crm.reads.put(contact)
	eve, zoe := s.person("eve", nil), s.person("zoe", nil)
	for _, v := range []*visitor{eve, zoe} {
		s.enters(v, "/members/")
	}
	s.want("the contact's person", eve, "/customers/x", http.StatusOK)
	s.want("another person", zoe, "/gold/x", http.StatusForbidden)
	contact.email = addressOf("zoe")
	s.crm.reads.put(contact)
	eventually(t, "the access has moved", func() bool {
		return s.everywhere(eve, "/customers/x", http.StatusForbidden) && s.everywhere(zoe, "/gold/x", http.StatusOK)
	})
	// The person's own login with another address is another question: nothing that is known about the old one counts.
	again := s.person("zoe", map[string]any{"email": addressOf("eve")})
	s.enters(again, "/members/")
	s.want("the same person with the old address", again, "/gold/x", http.StatusForbidden)
}
