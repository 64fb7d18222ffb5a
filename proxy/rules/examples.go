package rules

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hubgate/hubgate/proxy/urlpath"
)

// Pattern is one pattern of the rules, or a door that a query opens, with an escaped path that it matches: what a
// comparison of two files looks at.
type Pattern struct {
	Text    string
	Example string
	Params  urlpath.PreviewParams
}

// Patterns lists every pattern of the rules, the operator's in file order first, and the doors. A pattern with ** comes with several
// examples, for each of which another rule may decide.
func (rs *Set) Patterns() []Pattern {
	var all []Pattern
	for _, r := range append(slices.Clone(rs.rules), rs.builtin...) {
		for _, p := range r.patterns {
			for _, example := range p.examples() {
				escaped := (&url.URL{Path: example}).EscapedPath() // a space in it would end the target
				all = append(all, Pattern{Text: p.text, Example: escaped})
			}
		}
	}
	return append(all, Pattern{"?hs_preview", "/", urlpath.Preview}, Pattern{"?hsDebug", "/", urlpath.Debug}, Pattern{"-temporary-slug-*", "/-temporary-slug-x", 0})
}

// examples are paths that the pattern matches, with ** for one segment, for none and for two.
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

// examplePath is a path that segments match, "" for none.
func examplePath(segments []segment) string {
	var b strings.Builder
	for _, s := range segments {
		if s.kind != doubleStar {
			b.WriteString("/" + exampleSegment(s))
		}
	}
	return b.String()
}

// exampleSegment is a segment as a person would name it: of "report-*" report-x, but of "members*" members.
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
