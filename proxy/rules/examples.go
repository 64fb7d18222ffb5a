package rules

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hubgate/hubgate/proxy/urlpath"
)

// Pattern is a pattern of the rules or a preview parameter, with an escaped path that it matches, for comparing Sets.
type Pattern struct {
	Text    string
	Example string
	Params  urlpath.PreviewParams
}

// Patterns returns the patterns of all rules, the configured ones in file order first, and the preview parameters. A
// pattern with ** has several examples, because another rule may decide for each.
func (rs *Set) Patterns() []Pattern {
	var all []Pattern
	for _, r := range append(slices.Clone(rs.rules), rs.builtin...) {
		for _, p := range r.patterns {
			for _, example := range p.examples() {
				escaped := (&url.URL{Path: example}).EscapedPath()
				all = append(all, Pattern{Text: p.text, Example: escaped})
			}
		}
	}
	return append(all,
		Pattern{Text: "?hs_preview", Example: "/", Params: urlpath.Preview},
		Pattern{Text: "?hsDebug", Example: "/", Params: urlpath.Debug},
		Pattern{Text: "-temporary-slug-*", Example: "/-temporary-slug-x"})
}

// examples returns paths that the pattern matches, with one segment, none and two for each **.
func (p pattern) examples() []string {
	var all []string
	for _, below := range []string{"/x", "", "/x/x"} {
		path := ""
		for _, s := range p.segments {
			if s.kind == doubleStar {
				path += below
				continue
			}
			path += "/" + sample(s)
		}
		if path == "" {
			path = "/"
		}
		if !slices.Contains(all, path) {
			all = append(all, path)
		}
	}
	return all
}

// examplePath returns a path that segments match, "" for no segments.
func examplePath(segments []segment) string {
	var b strings.Builder
	for _, s := range segments {
		if s.kind != doubleStar {
			b.WriteString("/" + exampleSegment(s))
		}
	}
	return b.String()
}

// exampleSegment returns a plausible name that a segment matches: report-x for "report-*", but members for "members*".
func exampleSegment(s segment) string {
	if name, star := strings.CutSuffix(s.text, "*"); star && endsInLetter(name) {
		return strings.ReplaceAll(name, "*", "x")
	}
	return sample(s)
}

func endsInLetter(name string) bool {
	last, _ := utf8.DecodeLastRuneInString(name)
	return unicode.IsLetter(last) || unicode.IsDigit(last)
}
