package rules

import (
	"fmt"
	"slices"

	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/pattern"
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
			if !p.InFiles() {
				continue
			}
			if files, folder := rs.closedAsHubID(host, r, p); folder != "" {
				warn(r.keys[i], fmt.Sprintf("%s protects %s as well: %s may be a HubID, and /hubfs/HUBID/... is the "+
					"same file as /hubfs/...", setting.Quote(p.String()), setting.Quote(files.ExampleFile()), folder),
					"move the files to a folder whose name is not a number; if "+folder+" is your HubID, write "+
						setting.Quote(files.String()))
			}
			if by := rs.stricterRule(host, r, p); by != nil {
				warn(r.keys[i], fmt.Sprintf("%s has no effect: %s (%s) protects these files too, and each rule "+
					"for a file must be satisfied",
					setting.Quote(p.String()), setting.Quote(by.patterns[0].String()), by.place()),
					"move the files to an unprotected folder, and remove this rule")
			}
		}
	}
	return problems
}

// closedAsHubID returns the pattern of files that p does not match and its rule protects, because a folder of p may be
// a HubID. The folder is empty if there are none.
func (rs *Set) closedAsHubID(host string, r *rule, p pattern.Pattern) (files pattern.Pattern, folder string) {
	files, folder = p.WithoutHubID()
	if folder == "" || !r.needsLogin() {
		return pattern.Pattern{}, ""
	}
	m := rs.Match(host, urlpath.Matched(files.ExampleFile()))
	widerElsewhere := slices.ContainsFunc(m.all, func(o *rule) bool { return o != r && o.index >= 0 && o.needsLogin() })
	if !slices.Contains(m.all, r) || widerElsewhere {
		return pattern.Pattern{}, ""
	}
	return files, folder
}

// stricterRule returns a rule that still protects what a more specific, more open one was written to open.
func (rs *Set) stricterRule(host string, r *rule, p pattern.Pattern) *rule {
	m := rs.Match(host, urlpath.Matched(p.ExampleFile()))
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
