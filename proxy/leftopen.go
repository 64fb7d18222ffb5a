package proxy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hubgate/hubgate/internal/setting"
)

// suspicion is what a protecting pattern may leave public by mistake: addresses to look at, and the cure if one of
// them is.
type suspicion struct {
	paths []string
	cure  string
}

// leftOpen warns of patterns that are valid and leave public what their author probably meant to protect: pages
// below, files elsewhere, what a built-in rule decides. Where a rule of the operator's decides, somebody has said
// what is meant.
func (rs *Rules) leftOpen(env RulesEnv) []setting.Problem {
	var problems []setting.Problem
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
			for _, s := range slices.Concat(p.below(), p.filesElsewhere(), rs.wonByBuiltin(p)) {
				if path, host := rs.firstOpen(s.paths, hosts); path != "" {
					where := ""
					if len(hosts) > 1 {
						where = " on " + host
					}
					problems = append(problems, setting.Problem{Key: r.keys[i], Warning: true, Cure: s.cure,
						Text: fmt.Sprintf("%s leaves %s public%s", quote(p.text), quote(path), where)})
				}
			}
		}
	}
	return problems
}

// firstOpen finds a path that everybody gets although no rule of the operator's says so.
func (rs *Rules) firstOpen(paths, hosts []string) (path, host string) {
	for _, path := range paths {
		if mustBePublic(path) {
			continue
		}
		for _, host := range hosts {
			m := rs.Match(host, Path{folded: path})
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

// fileName is the last segment of an address that has nothing below it.
var fileName = regexp.MustCompile(`\.[a-z][a-z0-9]{1,4}$`)

// below suspects a pattern that does not end in ** of being meant for the pages below as well. A rule for the home
// page alone is no slip, and below a file there is nothing.
func (p pattern) below() []suspicion {
	n := len(p.segments)
	if n == 0 || p.segments[n-1].kind == doubleStar {
		return nil
	}
	last, text := p.segments[n-1], strings.TrimRight(p.text, "/")
	folder := text[:strings.LastIndexByte(text, '/')]
	if fileName.MatchString(last.text) {
		if last.kind == literal {
			return nil
		}
		return []suspicion{{[]string{specimen(p.segments[:n-1]) + "/folder/" + specimenOf(last)},
			"* stays inside one segment; write " + quote(strings.TrimSuffix(folder, "/**")+"/**"+text[len(folder):])}}
	}
	meant, all := text+"/**", text+"/**"
	name, star := strings.CutSuffix(last.text, "*")
	if star && !strings.Contains(name, "*") && (name == "" || endsInWord(name)) {
		// /members/* is meant as /members/**, and /members* too, unless there are /members-a and /members-b.
		meant = strings.TrimRight(text[:len(text)-1], "/") + "/**"
		if name == "" {
			all = meant
		}
	}
	cure := "write " + quote(meant) + ", which is the page and everything below it"
	if meant != all {
		cure += ", or " + quote(all) + " for every name that begins so"
	}
	page := specimen(p.segments)
	return []suspicion{{[]string{page + "/page", page + "/example"},
		cure + "; or say that pages below are public: a rule for " + quote(all) + " with access: public"}}
}

// filesElsewhere suspects a pattern that begins with a wildcard of being meant for HubSpot's files as well, which the
// built-in rule opens. One that is all of the site is not: that files stay public then is documented.
func (p pattern) filesElsewhere() []suspicion {
	files := pattern{segments: []segment{{kind: literal, text: "hubfs"}, {kind: doubleStar}}}
	if len(p.segments) == 0 || p.segments[0].kind == literal || contains(p, files) {
		return nil
	}
	for _, rest := range after(p.segments, "hubfs") {
		if len(rest) > 0 {
			path := "/hubfs" + specimen(rest)
			if rest[len(rest)-1].kind == doubleStar {
				path += "/board.pdf"
			}
			return []suspicion{{[]string{path}, "the built-in rule for files wins there; add a rule for " +
				quote("/hubfs"+pattern{segments: rest}.folded())}}
		}
	}
	return nil
}

// wonByBuiltin looks where a pattern and a built-in rule for a part of its folder meet and neither was written as an
// exception of the other. Patterns that begin with a wildcard are not meant for HubSpot's own scripts and forms.
func (rs *Rules) wonByBuiltin(p pattern) []suspicion {
	if len(p.segments) == 0 || p.segments[0].kind != literal {
		return nil
	}
	var all []suspicion
	for _, r := range rs.builtin {
		for _, b := range r.patterns {
			if p.segments[0] != b.segments[0] || contains(p, b) || !meets(p, b) {
				continue
			}
			verb := "add a rule for "
			if contains(b, p) {
				verb = "write " // the pattern never decides
			}
			all = append(all, suspicion{[]string{example(p, b)},
				"the built-in rule " + r.name + " wins there; " + verb + quote(b.text) +
					", or begin the pattern with more of the path"})
		}
	}
	return all
}

// specimen is a path that segments match, "" for none.
func specimen(segments []segment) string {
	var b strings.Builder
	for _, s := range segments {
		if s.kind != doubleStar {
			b.WriteString("/" + specimenOf(s))
		}
	}
	return b.String()
}

// specimenOf is a segment as a person would name it: of "report-*" report-x, but of "members*" members.
func specimenOf(s segment) string {
	if name, star := strings.CutSuffix(s.text, "*"); star && endsInWord(name) {
		return strings.ReplaceAll(name, "*", "x")
	}
	return sample(s)
}

func endsInWord(name string) bool {
	last, _ := utf8.DecodeLastRuneInString(name)
	return unicode.IsLetter(last) || unicode.IsDigit(last)
}
