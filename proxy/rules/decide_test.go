package rules

import (
	"testing"
	"time"

	"github.com/hubgate/hubgate/proxy/urlpath"
	"github.com/hubgate/hubgate/session"
)

func gateRules() []RuleConfig {
	return []RuleConfig{
		loginRule("/members/**"), loginRule("/partners/**", "partner"), publicRule("/members/join"),
		{Path: []string{"/read/**"}, Methods: []string{"GET", "HEAD"}},
		{Path: []string{"/fresh/**"}, MaxAuthAge: 3600e9},
	}
}

func TestPreviewParamsOnlyTightenDecisions(t *testing.T) {
	t.Parallel()
	rank := map[Kind]int{Public: 0, Allow: 1, Login: 2, Forbid: 3, Refuse: 4}
	for _, words := range [][2]string{{"public", "public"}, {"login", "refuse"}, {"login_if_protected", "login"},
		{"refuse", "public"}} {
		cfg := accessRules(append(gateRules(), loginRule("/hubfs/private/**", "partner"))...)
		cfg.HubSpot.Previews, cfg.HubSpot.Debug = words[0], words[1]
		rs := compiled(t, cfg)
		for _, raw := range []string{"/", "/members/a", "/partners/a", "/members/join", "/hubfs/private/x", "/hubfs/x",
			"/_hcms/diagnostics", "/robots.txt", "/-temporary-slug-0a1b"} {
			for _, method := range []string{"GET", "POST", "TRACE"} {
				for name, s := range map[string]*session.Session{"nobody": nil, "alice": LoggedIn([]string{"partner"}, nil,
					fixedNow), "bob": LoggedIn(nil, nil, fixedNow)} {
					m := rs.Match(testHost, mustPath(t, raw))
					plain := m.Decide(method, 0, s, fixedNow).Kind
					for params := urlpath.PreviewParams(1); params < 4; params++ {
						if got := m.Decide(method, params, s, fixedNow).Kind; rank[got] < rank[plain] {
							t.Errorf("%v %s %s as %s: %s, without the parameter %s", words, method, raw, name, got, plain)
						}
					}
				}
			}
		}
	}
}

func TestMaxAuthAgeNeedsPromptedLogin(t *testing.T) {
	t.Parallel()
	rs := compiled(t, accessRules(RuleConfig{Path: []string{"/fresh"}, MaxAuthAge: 3600e9}))
	rs.env.ClockSkew = 10 * time.Second
	now := fixedNow
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	for _, c := range []struct {
		name                     string
		prompted, auth, finished time.Time
		want                     Kind
		reason                   string
	}{
		{"asked and proven", ago(2 * time.Minute), ago(time.Minute), ago(time.Minute), Allow, ReasonAdmitted},
		{"within the clocks' difference", ago(2 * time.Minute), ago(2*time.Minute + 10*time.Second), ago(time.Minute),
			Allow, ReasonAdmitted},
		{"never asked", time.Time{}, ago(time.Minute), ago(time.Minute), Login, ReasonAuthAge},
		{"asked, but from an old login", ago(2 * time.Minute), ago(time.Hour), ago(time.Minute), Forbid,
			ReasonStillOld},
		{"asked, no auth_time", ago(2 * time.Minute), time.Time{}, ago(time.Minute), Forbid, ReasonStillOld},
		{"too long ago", ago(2 * time.Hour), ago(2 * time.Hour), ago(61 * time.Minute), Login, ReasonAuthAge},
	} {
		s := &session.Session{PromptedAt: c.prompted, AuthTime: c.auth, CreatedAt: c.finished}
		if d := rs.Match(testHost, mustPath(t, "/fresh")).Decide("GET", 0, s, now); d.Kind != c.want ||
			d.Reason != c.reason {
			t.Errorf("%s: %s %s, want %s %s", c.name, d.Kind, d.Reason, c.want, c.reason)
		}
	}
}
