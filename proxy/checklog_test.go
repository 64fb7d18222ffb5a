package proxy

import "testing"

// A refusal must be found in the log by its rule, reason and session, as if the page had been requested here.
func TestForwardAuthLogsTheDecision(t *testing.T) {
	t.Parallel()
	s, crm := listStage(t)
	crm.set("alice", nil)
	for query, c := range map[string]struct{ visitor, want string }{
		"?path=/customers/":                {asBob, "/customers/** forbid lists bob"},
		"?path=/gold/":                     {asBob, "/gold/** allow admitted bob"},
		"?path=/partner-customers/":        {asBob, "/partner-customers/** forbid groups bob"},
		"?path=/bronze/":                   {asCarol, "/bronze/** forbid email_unverified carol"},
		"?path=/any/":                      {asAlice, "/any/** error crm alice"},
		"?path=/pricing":                   {asBob, "default public public_rule bob"},
		"?path=/read/a":                    {"X-None: 1", "/read/** login no_session "},
		"?path=/members/a&lists=customers": {asBob, " forbid lists bob"},
		"?lists=customers":                 {asBob, " forbid lists bob"},
		"":                                 {asBob, " allow admitted bob"},
		"?lists=customers&groups=partner":  {asAlice, " error crm alice"},
		"?path=/customers/&x=1":            {asAlice, " refuse check "},
		"?path=/any/&lists=beta":           {"Cookie: __Host-hubgate=broken", " error store "},
	} {
		s.get(t, "GET", "/oauth2/auth"+query, c.visitor, "Connection: close")
		o := s.last.Load().Outcome
		if got := o.Rule + " " + o.Decision + " " + o.Reason + " " + o.SessionRef; got != c.want {
			t.Errorf("%s as %s: %q, want %q", query, c.visitor, got, c.want)
		}
	}
}
