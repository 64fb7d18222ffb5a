package proxy

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/session"
)

// Subject is one URL that is judged outside a request.
type Subject struct {
	Host  string
	Path  Path
	Doors Doors
}

// ParseSubject reads a URL as operators write it: a path, with a query perhaps, of the first public host, or a full URL of a public
// host. A *PathError means that the gateway would refuse the request.
func ParseSubject(text string, sites []*inbound.Site) (Subject, error) {
	host := sites[0].Host
	rest := text
	if i := strings.Index(text, "://"); i >= 0 && !strings.HasPrefix(text, "/") {
		u, err := url.Parse(text[:i+3] + hostPart(text[i+3:]))
		if err != nil {
			return Subject{}, fmt.Errorf("%s is not a URL", setting.Quote(text))
		}
		site, ok := inbound.ParseSite(u.Scheme + "://" + u.Host)
		if host = ""; ok {
			for _, s := range sites {
				if s.Host == site.Host {
					host = s.Host
				}
			}
		}
		if host == "" {
			return Subject{}, fmt.Errorf("%s is none of the public hosts", setting.Quote(u.Host))
		}
		if rest = text[i+3+len(hostPart(text[i+3:])):]; rest == "" || rest[0] != '/' {
			rest = "/" + rest
		}
	}
	path, query, _ := strings.Cut(rest, "?")
	query, _, _ = strings.Cut(query, "#")
	p, err := ParsePath(strings.ReplaceAll(path, " ", "%20"))
	return Subject{Host: host, Path: p, Doors: ParseDoors(query)}, err
}

func hostPart(s string) string {
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		return s[:i]
	}
	return s
}

// RunTests judges the tests of the file; each that does not come out as expected is a problem.
func (rs *Rules) RunTests(tests []TestConfig, sites []*inbound.Site, now time.Time) []setting.Problem {
	var problems []setting.Problem
	for i, t := range tests {
		key := "proxy.tests[" + strconv.Itoa(i) + "]"
		subject, err := ParseSubject(t.URL, sites)
		d := Decision{Kind: Refuse, Reason: "path"}
		if bad, refused := err.(*PathError); refused {
			d.Reason = bad.Reason
		} else if err != nil {
			problems = append(problems, setting.Problem{Key: key + ".url", Text: err.Error(), Cure: "write a path, or a URL of a host in server.public_urls"})
			continue
		} else if _, own := subject.Path.Under(rs.prefix); own && rs.prefix != "" {
			d = Decision{Kind: Public, Reason: "gateway"} // its own endpoints, which rules and default do not reach
		} else {
			d = rs.Match(subject.Host, subject.Path).Decide("GET", subject.Doors, t.As.session(now), now)
		}
		if string(d.Kind) != t.Expect {
			by := ""
			if d.Rule.Name != "" {
				by = ", by rule " + setting.Quote(d.Rule.Name)
			}
			problems = append(problems, setting.Problem{Key: key,
				Text: fmt.Sprintf("%s is %s (%s%s), expected %s", setting.Quote(t.URL), d.Kind, d.Reason, by, t.Expect),
				Cure: "mend the rule or the expectation"})
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

// AsSession is somebody who logged in just now with these groups and claims: for explain.
func AsSession(groups []string, claims map[string]any, now time.Time) *session.Session {
	s := &session.Session{CreatedAt: now, PromptedAt: now, AuthTime: now}
	s.Groups, s.Claims = groups, claims
	return s
}
