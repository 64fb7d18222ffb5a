package rules

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/urlpath"
)

// warnFiles warns of two consequences of a rule for one address of a file holding for all: a folder whose name is a
// number may be a HubID, and a more open rule inside a protected folder has no effect.
func (rs *Set) warnFiles(env Env) []setting.Problem {
	var problems []setting.Problem
	warn := func(key, text, cure string) {
		problems = append(problems, setting.Problem{Key: key, Warning: true, Text: text, Cure: cure})
	}
	for _, r := range rs.rules {
		host := slices.Concat(r.hosts, env.Hosts, []string{""})[0]
		for i, p := range r.patterns {
			if !reachesFiles(p) {
				continue
			}
			if path, name := rs.closedAsHubID(host, r, p); path != "" {
				warn(r.keys[i], fmt.Sprintf("%s protects %s as well: %s may be a HubID, and /hubfs/HUBID/... is the "+
					"same file as /hubfs/...", setting.Quote(p.text), setting.Quote(path), name),
					"move the files to a folder whose name is not a number; if "+name+" is your HubID, write "+
						setting.Quote("/hubfs"+p.afterHubID()))
			}
			if by := rs.stricterRule(host, r, p); by != nil {
				warn(r.keys[i], fmt.Sprintf("%s has no effect: %s (%s) protects these files too, and each rule "+
					"for a file must be satisfied", setting.Quote(p.text), setting.Quote(by.patterns[0].text), by.place()),
					"move the files to an unprotected folder, and remove this rule")
			}
		}
	}
	return problems
}

// hubIDAt returns the index of the segment below /hubfs that may be a HubID, 0 for none.
func (p pattern) hubIDAt() int {
	at := slices.IndexFunc(p.segments, func(s segment) bool { return s.text == "hubfs" }) + 1
	if at == 0 || at > 2 || at >= len(p.segments) || p.segments[0].text == "hub" {
		return 0
	}
	text := p.segments[at].text
	if !strings.ContainsFunc(text, unicode.IsDigit) || strings.Trim(text, "0123456789*") != "" {
		return 0
	}
	return at
}

// afterHubID returns the part of the pattern after the HubID, as it was written.
func (p pattern) afterHubID() string { return p.written(p.hubIDAt() + 1) }

// closedAsHubID returns a file that a pattern does not match and its rule protects, because a folder may be a HubID.
func (rs *Set) closedAsHubID(host string, r *rule, p pattern) (path, number string) {
	at := p.hubIDAt()
	if at == 0 || at == len(p.segments)-1 || !r.needsLogin() {
		return "", ""
	}
	rest := p.segments[at+1:]
	path = "/hubfs" + examplePath(rest)
	if rest[len(rest)-1].kind == doubleStar {
		path += "/logo.png"
	}
	m := rs.Match(host, urlpath.Matched(path))
	widerElsewhere := slices.ContainsFunc(m.all, func(o *rule) bool { return o != r && o.index >= 0 && o.needsLogin() })
	if !slices.Contains(m.all, r) || widerElsewhere {
		return "", ""
	}
	return path, p.segments[at].text
}

// stricterRule returns a rule that still protects what a more specific, more open one was written to open.
func (rs *Set) stricterRule(host string, r *rule, p pattern) *rule {
	path := examplePath(p.segments)
	if p.segments[len(p.segments)-1].kind == doubleStar {
		path += "/logo.png"
	}
	m := rs.Match(host, urlpath.Matched(path))
	if !slices.Contains(m.all, r) {
		return nil
	}
	for _, o := range m.all {
		if o != r && o.index >= 0 && moreOpen(r, o) && len(o.patterns) > 0 {
			return o
		}
	}
	return nil
}
