package rules

import (
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/urlpath"
	"github.com/hubgate/hubgate/session"
)

// RunTests runs the tests of the file, and returns a problem for each that fails.
func (rs *Set) RunTests(tests []TestConfig, sites []*inbound.Site, now time.Time) []setting.Problem {
	var problems []setting.Problem
	for i, t := range tests {
		key := keyOfTest(i)
		d, err := rs.runTest(t, sites, now)
		if err != nil {
			problems = append(problems, badURL(i, err))
			continue
		}
		if string(d.Kind) == t.Expect {
			continue
		}
		by := ""
		if d.Rule.Name != "" {
			by = ", by rule " + setting.Quote(d.Rule.Name)
		}
		problems = append(problems, setting.Problem{
			Key:  key,
			Text: fmt.Sprintf("%s is %s (%s%s), expected %s", setting.Quote(t.URL), d.Kind, d.Reason, by, t.Expect),
			Cure: "fix the rule or the expectation",
		})
	}
	return problems
}

// CheckTestURLs returns the mistakes in the URLs of tests that cannot run, because something else is wrong.
func CheckTestURLs(tests []TestConfig, sites []*inbound.Site) []setting.Problem {
	var problems []setting.Problem
	for i, t := range tests {
		_, err := ParseSubject(t.URL, sites)
		if bad := (*urlpath.Error)(nil); err != nil && t.URL != "" && !errors.As(err, &bad) {
			problems = append(problems, badURL(i, err))
		}
	}
	return problems
}

// badURL is the problem of a test whose URL is not an address of the site.
func badURL(i int, err error) setting.Problem {
	return setting.Problem{
		Key: keyOfTest(i) + ".url", Text: err.Error(), Cure: "write a path, or a URL of a host in server.public_urls",
	}
}

// keyOfTest returns the key of the test at an index of proxy.tests.
func keyOfTest(i int) string { return "proxy.tests[" + strconv.Itoa(i) + "]" }

func (rs *Set) runTest(t TestConfig, sites []*inbound.Site, now time.Time) (Decision, error) {
	subject, err := ParseSubject(t.URL, sites)
	if bad := (*urlpath.Error)(nil); errors.As(err, &bad) {
		return Decision{Kind: Refuse, Reason: bad.Reason}, nil
	}
	if err != nil {
		return Decision{}, err
	}
	if _, own := rs.endpoint(subject.Path); own {
		return Decision{Kind: Public, Reason: ReasonGateway}, nil
	}
	return rs.Match(subject.Host, subject.Path).Decide("GET", subject.Params, t.As.session(rs.env, now), now), nil
}

// session returns the session of a test's user, who has just logged in; nil if nobody is logged in.
func (as *TestAs) session(env Env, now time.Time) *session.Session {
	if as == nil {
		return nil
	}
	claims := map[string]any{}
	for name, values := range as.Claims {
		claims[name] = []string(values)
		if len(values) == 1 {
			claims[name] = values[0]
		}
	}
	s := LoggedIn(as.Groups, claims, now)
	s.CRM = env.Contact(as.Lists, as.Properties, now)
	return s
}

// LoggedIn returns the session of a user with these groups and claims who has just logged in, for explain and tests.
// The e-mail address is a verified one unless the claims say otherwise; they are read as at a login.
func LoggedIn(groups []string, claims map[string]any, now time.Time) *session.Session {
	s := &session.Session{CreatedAt: now, PromptedAt: now, AuthTime: now}
	s.Groups, s.Claims = groups, claims
	stated := map[string]any{"email": "visitor@example.com", "email_verified": true}
	maps.Copy(stated, claims)
	s.Email, s.EmailVerified = session.EmailOf(stated)
	return s
}

// Contact returns what HubSpot would say about a contact that is in these lists and has these values, for explain and
// tests. Everything else that rules may ask for is known as well: the contact is not in it, or has no value.
func (e Env) Contact(lists []string, properties map[string]setting.Words, now time.Time) *session.CRM {
	crm := &session.CRM{
		Contact: true, Lists: map[string]bool{}, Properties: map[string][]string{},
		ReadAt: now, UsableUntil: now.Add(time.Hour),
	}
	for _, id := range e.Lists {
		crm.Lists[id] = false
	}
	for _, name := range lists {
		crm.Lists[e.Lists[name]] = true
	}
	for _, name := range e.Properties {
		crm.Properties[name] = nil
		for _, value := range properties[name] {
			crm.Properties[name] = append(crm.Properties[name], session.PropertyValues(value)...)
		}
	}
	return crm
}
