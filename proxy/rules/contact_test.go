package rules

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/urlpath"
	"github.com/hubgate/hubgate/session"
)

func tierRule(path string, values ...string) RuleConfig {
	return RuleConfig{Path: []string{path}, Claims: map[string]setting.Words{"hubspot.tier": values}}
}

func listRule(path string, names ...string) RuleConfig {
	return RuleConfig{Path: []string{path}, Lists: names}
}

// member returns the session of a user whose contact is in the lists with these ids, and in no other that was asked.
func member(ids ...string) *session.Session {
	s := LoggedIn(nil, nil, fixedNow)
	s.CRM = testEnv().Contact(nil, nil, fixedNow)
	for _, id := range ids {
		s.CRM.Lists[id] = true
	}
	return s
}

// with returns a copy of a session with a change.
func with(s *session.Session, change func(*session.Session)) *session.Session {
	changed := *s
	if s.CRM != nil {
		crm := *s.CRM
		changed.CRM = &crm
	}
	change(&changed)
	return &changed
}

// Changes of a session.
func withoutContact(s *session.Session) { s.CRM.Contact = false }

func askedNothing(s *session.Session) { s.CRM.Lists, s.CRM.Properties = nil, nil }

func askedOnlyFor8(in bool) func(*session.Session) {
	return func(s *session.Session) { s.CRM.Lists = map[string]bool{"8": in} }
}

func TestContactDecides(t *testing.T) {
	t.Parallel()
	rs := compiled(t, accessRules(listRule("/list", "customers"), listRule("/any", "customers", "beta"),
		tierRule("/tier", "gold", "silver")))
	gold := with(member(), func(s *session.Session) { s.CRM.Properties = map[string][]string{"tier": {"new", "gold"}} })
	stale := func(s *session.Session) { s.CRM.UsableUntil = fixedNow }
	unverified := func(s *session.Session) { s.EmailVerified = false }
	claimed := func(s *session.Session) { s.Claims = map[string]any{"hubspot.tier": "gold", "lists": "customers"} }
	for name, c := range map[string]struct {
		path   string
		s      *session.Session
		reason string
	}{
		"in the list":                 {"/list", member("7"), ReasonAdmitted},
		"in another list":             {"/list", member("8"), ReasonLists},
		"in one of the lists":         {"/any", member("8"), ReasonAdmitted},
		"in no list":                  {"/any", member("9"), ReasonLists},
		"one value of several":        {"/tier", gold, ReasonAdmitted},
		"no value":                    {"/tier", member(), ReasonProperties},
		"not known":                   {"/list", LoggedIn(nil, nil, fixedNow), ReasonUnknown},
		"property not known":          {"/tier", LoggedIn(nil, nil, fixedNow), ReasonUnknown},
		"not asked for the list":      {"/list", with(member(), askedNothing), ReasonUnknown},
		"not asked for the property":  {"/tier", with(gold, askedNothing), ReasonUnknown},
		"in one, not asked for other": {"/any", with(member(), askedOnlyFor8(true)), ReasonAdmitted},
		"not in one, nor asked":       {"/any", with(member(), askedOnlyFor8(false)), ReasonUnknown},
		"no contact":                  {"/list", with(member("7"), withoutContact), ReasonLists},
		"no contact, value":           {"/tier", with(gold, withoutContact), ReasonProperties},
		"just too old":                {"/list", with(member("7"), stale), ReasonUnknown},
		"not verified":                {"/list", with(member("7"), unverified), ReasonUnverified},
		"not verified, not known":     {"/tier", with(LoggedIn(nil, nil, fixedNow), unverified), ReasonUnverified},
		"no address":                  {"/tier", with(gold, func(s *session.Session) { s.Email = "" }), ReasonUnverified},
		"claim for property":          {"/tier", with(member(), claimed), ReasonProperties},
		"claim for list":              {"/list", with(member(), claimed), ReasonLists},
		"nobody":                      {"/list", nil, ReasonNoSession},
	} {
		d := rs.Match(testHost, mustPath(t, c.path)).Decide("GET", 0, c.s, fixedNow)
		status, known := map[string]int{ReasonAdmitted: 0, ReasonUnknown: 503, ReasonNoSession: 302}[c.reason]
		if !known {
			status = 403
		}
		if d.Reason != c.reason || d.Status != status || d.Unknown() != (c.reason == ReasonUnknown) {
			t.Errorf("%s: %s %s %d, want %s %d", name, d.Kind, d.Reason, d.Status, c.reason, status)
		}
	}
}

func TestUnknownContactNeverWinsOverDefiniteDecision(t *testing.T) {
	t.Parallel()
	old := with(LoggedIn(nil, nil, fixedNow), func(s *session.Session) { s.PromptedAt = time.Time{} })
	cfg := accessRules(
		RuleConfig{Path: []string{"/groups"}, Lists: []string{"beta"}, Groups: []string{"staff"}},
		RuleConfig{Path: []string{"/claims"}, Lists: []string{"beta"}, Claims: map[string]setting.Words{
			"hubspot.tier": {"gold"}, "role": {"staff"}}},
		RuleConfig{Path: []string{"/age"}, Lists: []string{"beta"}, MaxAuthAge: 3600e9},
		listRule("/hubfs/a/**", "beta"), loginRule("/hs-fs/hubfs/a/secret.pdf", "staff"),
		listRule("/page", "beta"))
	cfg.HubSpot.PreviewGroups, cfg.HubSpot.Debug = []string{"editor"}, "refuse"
	rs := compiled(t, cfg)
	for path, c := range map[string]struct {
		params urlpath.PreviewParams
		s      *session.Session
		reason string
	}{
		"/groups": {reason: ReasonGroups}, "/claims": {reason: ReasonClaims}, "/age": {s: old, reason: ReasonAuthAge},
		"/hubfs/a/secret.pdf": {reason: ReasonGroups}, "/hubfs/a/b.pdf": {reason: ReasonUnknown},
		"/page":  {params: urlpath.Preview, reason: ReasonGroups},
		"/page/": {params: urlpath.Debug, reason: ReasonHubSpot},
	} {
		s := c.s
		if s == nil {
			s = LoggedIn(nil, nil, fixedNow)
		}
		if d := rs.Match(testHost, mustPath(t, path)).Decide("GET", c.params, s, fixedNow); d.Reason != c.reason {
			t.Errorf("%s: %s %s, want %s", path, d.Kind, d.Reason, c.reason)
		}
	}
}

// verdict says whether HubSpot admits a user by a rule, without the code that decides: yes, no, or unknown.
func verdict(r RuleConfig, s *session.Session, now time.Time) string {
	crm := s.CRM
	switch {
	case !s.EmailVerified || s.Email == "":
		return "no"
	case crm == nil || !crm.UsableUntil.After(now):
		return "unknown"
	case !crm.Contact:
		return "no"
	}
	answer := func(met, known bool) string {
		switch {
		case met:
			return "yes"
		case known:
			return "no"
		}
		return "unknown"
	}
	answers, lists := map[string]bool{}, map[string]bool{}
	for name, wanted := range r.Claims {
		values, known := crm.Properties[name[len("hubspot."):]]
		answers[answer(slices.ContainsFunc(values, func(v string) bool { return slices.Contains(wanted, v) }), known)] = true
	}
	for _, name := range r.Lists {
		in, known := crm.Lists[testEnv().Lists[name]]
		lists[answer(in, known)] = true
	}
	for _, answer := range []string{"yes", "unknown", "no"} { // one list is enough
		if lists[answer] {
			answers[answer] = true
			break
		}
	}
	for _, answer := range []string{"no", "unknown"} { // everything is wanted
		if answers[answer] {
			return answer
		}
	}
	return "yes"
}

// Whatever a provider claims, access rests only on what HubSpot says now about the contact with the verified address,
// for every rule that applies. A file has two: one for each of its addresses.
func TestOnlyUsableContactAdmits(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(16, 1))
	some := func(words ...string) []string {
		return slices.DeleteFunc(slices.Clone(words), func(string) bool { return rng.IntN(2) == 0 })
	}
	counts := map[string]int{}
	for range 10_000 {
		rules := []RuleConfig{{Path: []string{"/hubfs/a/**"}}, {Path: []string{"/hs-fs/hubfs/a/b.pdf"}}}
		for i := range rules {
			rules[i].Lists, rules[i].Claims = some("customers", "beta"), map[string]setting.Words{}
			for _, name := range some("tier", "portal_groups") {
				rules[i].Claims["hubspot."+name] = append(some("x", "y"), "z")
			}
			if len(rules[i].Lists)+len(rules[i].Claims) == 0 {
				rules[i].Lists = []string{"customers"}
			}
		}
		s := randomPerson(rng, some)
		verdicts := []string{verdict(rules[0], s, fixedNow), verdict(rules[1], s, fixedNow)}
		want := "yes"
		for _, answer := range []string{"unknown", "no"} {
			if slices.Contains(verdicts, answer) {
				want = answer
			}
		}
		d := compiled(t, accessRules(rules...)).Match(testHost, mustPath(t, "/hubfs/a/b.pdf")).Decide("GET", 0, s, fixedNow)
		got := "no"
		if d.Kind == Allow {
			got = "yes"
		} else if d.Unknown() {
			got = "unknown"
		}
		if got != want {
			t.Fatalf("%+v\n%+v\n%+v: %s %s, want %s", rules, s, s.CRM, d.Kind, d.Reason, want)
		}
		counts[got]++
	}
	if min(counts["yes"], counts["unknown"], counts["no"]) < 100 {
		t.Errorf("the users are too much alike: %v", counts)
	}
}

func randomPerson(rng *rand.Rand, some func(...string) []string) *session.Session {
	s := LoggedIn(some("customers", "x"), map[string]any{}, fixedNow)
	for _, name := range some("hubspot.tier", "hubspot", "tier", "hubspot.portal_groups", "lists", "hubspot.lists") {
		s.Claims[name] = []any{"x", "y", "z", "customers", "7", "8"}
	}
	s.EmailVerified = rng.IntN(5) > 0
	if rng.IntN(10) == 0 {
		s.Email = ""
	}
	if rng.IntN(8) == 0 {
		return s
	}
	s.CRM = &session.CRM{Contact: rng.IntN(5) > 0, Lists: map[string]bool{}, Properties: map[string][]string{}}
	if rng.IntN(5) > 0 {
		s.CRM.UsableUntil = fixedNow.Add(time.Duration(rng.IntN(5)-1) * time.Nanosecond)
	}
	for _, id := range some("7", "8", "9", "customers", "") {
		s.CRM.Lists[id] = rng.IntN(2) == 0
	}
	for _, name := range some("tier", "portal_groups", "other") {
		s.CRM.Properties[name] = some("x", "y", "z", "")
	}
	return s
}
