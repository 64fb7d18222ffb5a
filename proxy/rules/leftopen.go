package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/pattern"
	"github.com/hubgate/hubgate/proxy/urlpath"
)

// warnLeftOpen warns of valid patterns that leave public what their author probably meant to protect: pages below,
// files elsewhere, paths of built-in rules. It does not warn where a configured rule decides, which is deliberate.
func (rs *Set) warnLeftOpen(env Env) []setting.Problem {
	problems := rs.warnFiles(env)
	for _, r := range rs.rules {
		if !r.needsLogin() {
			continue
		}
		hosts := r.hosts
		if hosts == nil {
			hosts = env.Hosts
		}
		if len(hosts) == 0 {
			hosts = []string{""}
		}
		for i, p := range r.patterns {
			for _, s := range append(p.Suspicions(), rs.losesToBuiltin(p)...) {
				if path, host := rs.firstOpen(s.Paths, hosts); path != "" {
					where := ""
					if len(hosts) > 1 {
						where = " on " + host
					}
					problems = append(problems, setting.Problem{Key: r.keys[i], Warning: true, Cure: s.Cure,
						Text: fmt.Sprintf("%s leaves %s public%s", setting.Quote(p.String()), setting.Quote(path), where)})
				}
			}
		}
	}
	return problems
}

// firstOpen returns a path that is public although no configured rule says so.
func (rs *Set) firstOpen(paths, hosts []string) (path, host string) {
	for _, path := range paths {
		if mustBePublic(path) {
			continue
		}
		for _, host := range hosts {
			m := rs.Match(host, urlpath.Matched(path))
			if m.rule.index < 0 && m.Decide("GET", 0, nil, time.Time{}).Kind == Public {
				return path, host
			}
		}
	}
	return "", ""
}

func mustBePublic(path string) bool {
	return slices.ContainsFunc(mustStayPublic, func(must struct{ pattern, why string }) bool {
		folder, all := strings.CutSuffix(must.pattern, "/**")
		return path == folder || (all && strings.HasPrefix(path, folder+"/"))
	})
}

// losesToBuiltin suspects that a pattern is meant for what built-in rules make public.
func (rs *Set) losesToBuiltin(p pattern.Pattern) []pattern.Suspicion {
	var all []pattern.Suspicion
	for _, r := range rs.builtin {
		for _, b := range r.patterns {
			if s, ok := p.LosesTo(b); ok {
				s.Cure = "the built-in rule " + r.name + " applies there; " + s.Cure
				all = append(all, s)
			}
		}
	}
	return all
}
