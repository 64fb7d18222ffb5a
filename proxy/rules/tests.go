package rules

import (
	"fmt"
	"strconv"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/urlpath"
	"github.com/hubgate/hubgate/session"
)

// RunTests judges the tests of the file; each that does not come out as expected is a problem.
func (rs *Set) RunTests(tests []TestConfig, sites []*inbound.Site, now time.Time) []setting.Problem {
	var problems []setting.Problem
	for i, t := range tests {
		key := "proxy.tests[" + strconv.Itoa(i) + "]"
		subject, err := ParseSubject(t.URL, sites)
		d := Decision{Kind: Refuse, Reason: "path"}
		if bad, refused := err.(*urlpath.Error); refused {
			d.Reason = bad.Reason
		} else if err != nil {
			problems = append(problems, setting.Problem{Key: key + ".url", Text: err.Error(), Cure: "write a path, or a URL of a host in server.public_urls"})
			continue
		} else if _, own := subject.Path.Under(rs.prefix); own && rs.prefix != "" {
			d = Decision{Kind: Public, Reason: "gateway"} // its own endpoints, which rules and default do not reach
		} else {
			d = rs.Match(subject.Host, subject.Path).Decide("GET", subject.Params, t.As.session(now), now)
		}
		if string(d.Kind) != t.Expect {
			by := ""
			if d.Rule.Name != "" {
				by = ", by rule " + setting.Quote(d.Rule.Name)
			}
			problems = append(problems, setting.Problem{Key: key,
				Text: fmt.Sprintf("%s is %s (%s%s), expected %s", setting.Quote(t.URL), d.Kind, d.Reason, by, t.Expect),
				Cure: "fix the rule or the expectation"})
		}
	}
	return problems
}

// session is somebody who logged in just now as the test says; nil is nobody.
func (as *TestAs) session(now time.Time) *session.Session {
	if as == nil {
		return nil
	}
	s := &session.Session{CreatedAt: now, PromptedAt: now, AuthTime: now}
	s.Groups, s.Claims = as.Groups, map[string]any{}
	for name, values := range as.Claims {
		s.Claims[name] = []string(values)
	}
	return s
}

// LoggedIn is somebody who logged in just now with these groups and claims: for explain.
func LoggedIn(groups []string, claims map[string]any, now time.Time) *session.Session {
	s := &session.Session{CreatedAt: now, PromptedAt: now, AuthTime: now}
	s.Groups, s.Claims = groups, claims
	return s
}
