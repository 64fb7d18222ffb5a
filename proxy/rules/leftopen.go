package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/urlpath"
)

// suspicion is what a protecting pattern may leave public by mistake: paths to check, and the cure if one of them is
// public.
type suspicion struct {
	paths []string
	cure  string
}

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
			for _, s := range slices.Concat(p.missedPages(), p.missedFiles(), rs.losesToBuiltin(p)) {
				if path, host := rs.firstOpen(s.paths, hosts); path != "" {
					where := ""
					if len(hosts) > 1 {
						where = " on " + host
					}
					problems = append(problems, setting.Problem{Key: r.keys[i], Warning: true, Cure: s.cure,
						Text: fmt.Sprintf("%s leaves %s public%s", setting.Quote(p.text), setting.Quote(path), where)})
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

// fileName matches the last segment of a path that has no pages below it. Other endings after a dot belong to pages:
// jane.doe, example.de.
var fileName = regexp.MustCompile(`\.(html?|xhtml|pdf|xml|rss|txt|csv|json|ics|vcf|map|css|m?js` +
	`|png|jpe?g|gif|svg|webp|avif|ico|bmp|tiff?|woff2?|ttf|otf|eot` +
	`|mp[34]|m4[av]|webm|og[gv]|wav|mov|avi|docx?|xlsx?|pptx?|od[tsp]|rtf|epub|zip|gz|rar|7z|tar|exe|dmg|pkg|apk)$`)

// isFile reports whether a pattern is for a file. HubSpot serves scripts from its own folders only, so node.js
// elsewhere is a page.
func (p pattern) isFile() bool {
	last := p.segments[len(p.segments)-1]
	if !fileName.MatchString(last.text) {
		return false
	}
	own := slices.Contains([]string{"hubfs", "hs-fs", "hub", "hs", "_hcms"}, p.segments[0].text)
	return own || last.kind == glob || !strings.HasSuffix(last.text, "js")
}

// written returns the end of a pattern from a segment on, as it was written: the decoded form is not a pattern.
func (p pattern) written(from int) string {
	if from == len(p.segments) {
		return ""
	}
	return "/" + strings.Join(strings.Split(strings.Trim(p.text, "/"), "/")[from:], "/")
}

// missedPages suspects that a pattern which does not end in ** is meant for the pages below as well. A rule for the
// home page alone is deliberate, and a file has nothing below.
func (p pattern) missedPages() []suspicion {
	n := len(p.segments)
	if n == 0 || p.segments[n-1].kind == doubleStar {
		return nil
	}
	last, text := p.segments[n-1], strings.TrimRight(p.text, "/")
	folder := text[:strings.LastIndexByte(text, '/')]
	if p.isFile() {
		if last.kind == literal {
			return nil
		}
		return []suspicion{{[]string{examplePath(p.segments[:n-1]) + "/folder/" + exampleSegment(last)},
			"* matches within one segment only; write " + setting.Quote(strings.TrimSuffix(folder, "/**")+"/**"+text[len(folder):])}}
	}
	meant, all := text+"/**", text+"/**"
	name, star := strings.CutSuffix(last.text, "*")
	switch {
	case star && name == "": // /members/* probably means /members/**
		meant, all = folder+"/**", folder+"/**"
	case star && !strings.Contains(name, "*") && endsInLetter(name) && strings.HasSuffix(text, "*"):
		// /members* does too, unless there are /members-a and /members-b.
		meant = strings.TrimSuffix(text, "*") + "/**"
		if wider, bad := parsePattern(all); bad != nil || wider.missedFiles() != nil {
			all = meant // the built-in rule for files would win over /hubfs*/**
		}
	}
	cure := "write " + setting.Quote(meant) + ", which is the page and everything below it"
	if meant != all {
		cure += ", or " + setting.Quote(all) + " for every name that begins like this"
	}
	page := examplePath(p.segments)
	return []suspicion{{[]string{page + "/page", page + "/example"},
		cure + "; if the pages below should be public, write a rule for " + setting.Quote(all) + " with access: public"}}
}

// missedFiles suspects that a pattern which begins with a wildcard is meant for HubSpot's files as well, which the
// built-in rule makes public. A pattern for the whole site is not: it is documented that files stay public.
func (p pattern) missedFiles() []suspicion {
	files := pattern{segments: []segment{{kind: literal, text: "hubfs"}, {kind: doubleStar}}}
	if len(p.segments) == 0 || p.segments[0].kind == literal || (p.startsWithWildcard() && contains(p, files)) {
		return nil
	}
	for _, root := range [][]string{{"hubfs"}, {"hs-fs", "hubfs"}} {
		rests := after(p.segments, root[0])
		for _, part := range root[1:] {
			var next [][]segment
			for _, rest := range rests {
				next = append(next, after(rest, part)...)
			}
			rests = next
		}
		for _, rest := range rests {
			if len(rest) == 0 {
				continue
			}
			path := "/" + strings.Join(root, "/") + examplePath(rest)
			if rest[len(rest)-1].kind == doubleStar {
				path += "/board.pdf"
			}
			return []suspicion{{[]string{path}, "the built-in rule for files applies there; add a rule for " +
				setting.Quote("/hubfs"+p.written(len(p.segments)-len(rest)))}}
		}
	}
	return nil
}

// startsWithWildcard reports whether the pattern matches paths with any first segment.
func (p pattern) startsWithWildcard() bool {
	return len(p.segments) > 0 && (p.segments[0].kind == doubleStar || p.segments[0].text == "*")
}

// losesToBuiltin looks where a pattern and a built-in rule for a part of its folder intersect, and neither was written
// as an exception of the other. Patterns that begin with a wildcard are not meant for HubSpot's own scripts and forms.
// Those that begin with a part of a name are meant for a file of that name only.
func (rs *Set) losesToBuiltin(p pattern) []suspicion {
	if len(p.segments) == 0 || p.startsWithWildcard() {
		return nil
	}
	var all []suspicion
	for _, r := range rs.builtin {
		for _, b := range r.patterns {
			sameFolder := p.segments[0] == b.segments[0] || (p.segments[0].kind == glob && len(b.segments) == 1)
			if !sameFolder || (p.simple() && contains(p, b)) || !intersects(p, b) {
				continue
			}
			verb, part := "add a rule for ", p.within(b)
			if contains(b, p) {
				verb, part = "write ", b.text // the pattern never decides
			}
			all = append(all, suspicion{[]string{commonExample(p, b)},
				"the built-in rule " + r.name + " applies there; " + verb + setting.Quote(part) +
					", or begin the pattern with more of the path"})
		}
	}
	return all
}

// within returns the part of a pattern in the folder of a built-in one, as a pattern that wins over that.
func (p pattern) within(b pattern) string {
	folder := len(b.segments) - 1
	if folder < 1 || b.segments[folder].kind != doubleStar || len(p.segments) <= folder ||
		p.segments[folder].kind == doubleStar ||
		slices.ContainsFunc(p.segments[:folder], func(s segment) bool { return s.kind == doubleStar }) {
		return b.text
	}
	return strings.TrimSuffix(b.text, "/**") + p.written(folder)
}
