package e2e

import (
	"net/http"
	"slices"
	"syscall"
	"testing"
)

func TestForwardAuthAsksForLists(t *testing.T) {
	t.Parallel()
	s := newAccessSite(t, options{routed: true})
	s.serve()
	s.serve()
	s.contact("ada", "gold", customersList, "99")
	s.contact("ben", "", betaList)
	s.contact("cleo", "gold", customersList)
	s.crm.reads.put(crmContact{id: "7", email: addressOf("cleo")}) // a second contact
	ada, ben, cleo := s.person("ada", nil), s.person("ben", nil), s.person("cleo", nil)
	for _, v := range []*visitor{ada, ben, cleo} {
		s.enters(v, "/members/")
	}
	const yes, login, no = http.StatusAccepted, http.StatusUnauthorized, http.StatusForbidden
	const unknown = http.StatusServiceUnavailable
	for query, want := range map[string][4]int{ // of ada, ben, cleo, and a visitor
		"":                                     {yes, yes, yes, login},
		"?path=/customers/x":                   {yes, no, unknown, login},
		"?path=/gold/x":                        {yes, no, unknown, login},
		"?path=/members/":                      {yes, yes, yes, login},
		"?path=/pricing":                       {yes, yes, yes, yes},
		"?lists=customers":                     {yes, no, unknown, login},
		"?lists=customers,beta":                {yes, yes, unknown, login},
		"?path=/members/&lists=beta":           {no, yes, unknown, login},
		"?path=/customers/x&lists=beta":        {no, no, unknown, login},
		"?path=/pricing&lists=beta":            {no, yes, unknown, login},
		"?lists=customers&groups=partner":      {no, no, no, login},
		"?lists=" + customersList:              {no, no, no, login},
		"?lists=customers,":                    {no, no, no, no},
		"?lists=beta&lists=customers":          {no, no, no, no},
		"?path=/members/&lists=beta&lists=":    {no, no, no, no},
		"?path=/customers/x%3Flists=customers": {no, no, no, no},
	} {
		for i, v := range []*visitor{ada, ben, cleo, s.visitor()} {
			s.want([]string{"ada", "ben", "cleo", "a visitor"}[i], v, "/oauth2/auth"+query, want[i])
		}
	}
	s.listsInUserInfo(ada, "customers")
	s.listsInUserInfo(ben, "beta")
	for i := range s.gateways {
		info := decode(t, cleo.openAt(s, i, "/oauth2/userinfo").body)
		if lists, found := info["lists"]; !found || lists != nil {
			t.Errorf("lists of a person about whom they are unknown: %v", info)
		}
	}
}

// listsInUserInfo checks that /oauth2/userinfo has the names of a person's lists, and nothing else of HubSpot.
func (s *site) listsInUserInfo(v *visitor, names ...any) {
	s.t.Helper()
	for i := range s.gateways {
		info := decode(s.t, v.openAt(s, i, "/oauth2/userinfo").body)
		lists, _ := info["lists"].([]any)
		if !slices.Equal(lists, names) {
			s.t.Errorf("/oauth2/userinfo: %v, want the lists %v", info, names)
		}
		for name := range info {
			if name == "hubspot" || name == "member_tier" || name == "properties" {
				s.t.Errorf("/oauth2/userinfo shows a property: %v", info)
			}
		}
	}
}

// reloaded changes the configuration of a gateway and waits until it is in effect.
func (g *gateway) reloaded(change config) {
	g.t.Helper()
	const done = `"msg":"configuration reloaded"`
	before := g.out.count(done)
	g.set(change)
	g.signal(syscall.SIGHUP)
	eventually(g.t, "the configuration is reloaded", func() bool { return g.out.count(done) > before })
}

// What a name of a list means changes with a reload, not with the next answer of HubSpot.
func TestReloadOfListIDsUsesNothingOld(t *testing.T) {
	t.Parallel()
	s := newAccessSite(t, options{routed: true})
	g := s.serve()
	s.contact("ada", "", customersList)
	s.contact("ben", "", betaList, "4242")
	ada, ben := s.person("ada", nil), s.person("ben", nil)
	s.enters(ada, "/customers/x")
	s.enters(ben, "/members/")
	s.want("ben", ben, "/customers/x", http.StatusForbidden)

	g.reloaded(config{"hubspot.access.lists": "{customers: " + betaList + ", beta: " + customersList + "}"})
	calls := len(s.crm.reads.answered())
	s.want("ada after the swap", ada, "/customers/x", http.StatusForbidden)
	s.want("ben after the swap", ben, "/customers/x", http.StatusOK)
	if n := len(s.crm.reads.answered()) - calls; n != 0 {
		t.Errorf("%d calls, although HubSpot has answered about both lists", n)
	}

	s.crm.reads.fail(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	g.reloaded(config{"hubspot.access.lists": "{customers: 4242}"})
	s.want("ada without an answer", ada, "/customers/x", http.StatusServiceUnavailable)
	s.want("ben without an answer", ben, "/customers/x", http.StatusServiceUnavailable)
	s.crm.reads.fail(nil)
	eventually(t, "HubSpot is asked about the other list", func() bool {
		return s.everywhere(ada, "/customers/x", http.StatusForbidden) && s.everywhere(ben, "/customers/x", http.StatusOK)
	})

	s.crm.reads.fail(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	g.reloaded(config{"hubspot.access_token": newToken}) // perhaps of another account, which has other lists
	s.want("ben until HubSpot has said so", ben, "/customers/x", http.StatusOK)
	s.crm.reads.change(func(c *crmReads) { c.fault, c.token = nil, newToken })
	s.crm.reads.put(crmContact{id: idOf("ben"), email: addressOf("ben")})
	eventually(t, "the other account is asked", func() bool {
		return s.everywhere(ben, "/customers/x", http.StatusForbidden)
	})
}
