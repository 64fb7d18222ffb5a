package pattern

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Examples returns paths that the pattern matches, with one segment, none and two for each **.
func (p Pattern) Examples() []string {
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

// ExampleFile returns the path of a file that the pattern matches.
func (p Pattern) ExampleFile() string { return exampleFile(p.segments, "/logo.png") }

// exampleFile returns a path that segments match. A path that ends in ** continues with the name of a file.
func exampleFile(segments []segment, name string) string {
	path := examplePath(segments)
	if n := len(segments); n > 0 && segments[n-1].kind == doubleStar {
		path += name
	}
	return path
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

func sample(s segment) string { return strings.ReplaceAll(s.text, "*", "x") }

func endsInLetter(name string) bool {
	last, _ := utf8.DecodeLastRuneInString(name)
	return unicode.IsLetter(last) || unicode.IsDigit(last)
}
