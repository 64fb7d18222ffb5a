package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// crmFault is a way in which HubSpot does not answer.
type crmFault struct {
	answer http.HandlerFunc    // to every call
	cure   string              // in the log
	repair func(*site, func()) // ends the fault by calling the function
}

// slowCRM answers a call with the status 200 when the fault has ended. The client gives up before.
func slowCRM(ended <-chan struct{}, next http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-ended:
			next.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	}
}

const newToken = "pat-na1-e2e-new"

// crmFaults returns the faults by name.
func crmFaults() map[string]crmFault {
	itself := func(_ *site, end func()) { end() }
	return map[string]crmFault{
		"down": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "continues by itself", itself},
		"unavailable": {func(w http.ResponseWriter, _ *http.Request) {
			crmError(w, http.StatusServiceUnavailable, "SERVICE_UNAVAILABLE", "")
		}, "continues by itself", itself},
		"rate limit": {func(w http.ResponseWriter, _ *http.Request) {
			crmError(w, http.StatusTooManyRequests, "RATE_LIMITS", "SECONDLY")
		}, "lower hubspot.rate_limit", itself},
		"token": {func(w http.ResponseWriter, _ *http.Request) {
			crmError(w, http.StatusUnauthorized, "INVALID_AUTHENTICATION", "")
		}, "put a new one into hubspot.access_token", func(s *site, end func()) {
			s.crm.reads.change(func(c *crmReads) { c.token = newToken })
			end()
			s.gateways[0].set(config{"hubspot.access_token": newToken})
		}},
		"slow": {nil, "continues by itself", itself},
	}
}

func TestHubSpotOutageAffectsNoOtherPages(t *testing.T) {
	t.Parallel()
	for name, fault := range crmFaults() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hubspotFails(t, fault)
		})
	}
}

func hubspotFails(t *testing.T, fault crmFault) {
	s := newAccessSite(t, options{routed: true})
	g := s.serve()
	for _, name := range []string{"ada", "ben", "cleo"} {
		s.contact(name, "", customersList)
	}
	ada, ben, cleo := s.person("ada", nil), s.person("ben", nil), s.person("cleo", nil)
	s.enters(ada, "/customers/x")
	s.enters(ben, "/members/")

	ended := make(chan struct{})
	if fault.answer == nil {
		fault.answer = slowCRM(ended, s.crm.api())
	}
	s.crm.reads.fail(fault.answer)
	s.during(ada, ben)
	const begins, ends = `"msg":"HubSpot cannot be asked about visitors`, `"msg":"HubSpot answers about visitors again`
	eventually(t, "the log has the fault", func() bool { return g.out.contains(begins) })
	s.during(ada, ben)
	s.enters(cleo, "/members/") // a login
	s.during(ada, cleo)
	fault.repair(s, func() {
		s.crm.reads.fail(nil)
		close(ended)
	})
	for _, v := range []*visitor{ada, ben, cleo} {
		eventually(t, "all of them are served", func() bool { return s.status(v, 0, "/customers/x") == http.StatusOK })
	}
	g.waitFor(ends)
	if g.out.count(begins) != 1 || g.out.count(ends) != 1 {
		t.Errorf("the fault is logged %d times, its end %d times", g.out.count(begins), g.out.count(ends))
	}
	for line := range strings.SplitSeq(g.out.String(), "\n") {
		if strings.Contains(line, begins) && !strings.Contains(line, fault.cure) {
			t.Errorf("the log does not say %q: %s", fault.cure, line)
		}
	}
}

// during checks what visitors get while HubSpot does not answer: a person about whom it has answered before, and one
// about whom it has not. All answers come before the visitors give up.
func (s *site) during(known, unknown *visitor) {
	s.t.Helper()
	s.want("a visitor", s.visitor(), "/pricing", http.StatusOK)
	s.want("a visitor of a public page", unknown, "/pricing", http.StatusOK)
	s.want("a known person", known, "/customers/x", http.StatusOK)
	s.want("an unknown person", unknown, "/customers/x", http.StatusServiceUnavailable)
	s.want("an unknown person", unknown, "/gold/x", http.StatusServiceUnavailable)
	s.want("an unknown person", unknown, "/members/", http.StatusOK)
}
