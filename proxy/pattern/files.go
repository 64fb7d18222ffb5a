package pattern

import (
	"slices"
	"strings"
	"unicode"

	"github.com/hubgate/hubgate/proxy/urlpath"
)

// hubID represents any HubID in an address.
const hubID = "0"

// addresses are the beginnings of the addresses of one file.
var addresses = [][]string{
	{"hubfs"}, {"hubfs", hubID}, {"hs-fs", "hubfs"}, {"hs-fs", "hubfs", hubID},
	{"hub", hubID}, {"hub", hubID, "hubfs"}, {"hs-fs", "hub", hubID}, {"hs-fs", "hub", hubID, "hubfs"},
}

// InFiles reports whether the pattern is about HubSpot's files.
func (p Pattern) InFiles() bool {
	if len(p.segments) == 0 || p.segments[0].kind != literal {
		return false
	}
	switch p.segments[0].text {
	case "hubfs", "hs-fs", "hub":
		return true
	}
	return false
}

// FileNames returns the patterns of the names of the files that the pattern is about, as paths. A "+" in the pattern
// may be a space, because addresses are copied from browsers.
func (p Pattern) FileNames() []Pattern {
	var all []Pattern
	if spaced, differs := p.Spaced(); differs {
		all = append(all, spaced.FileNames()...)
	}
	if plain, differs := p.with(urlpath.WithoutMarks); differs {
		all = append(all, plain.FileNames()...)
	}
	for _, address := range addresses {
		for _, name := range below(p.segments, address) {
			if len(name) > 0 {
				all = append(all, Pattern{segments: name})
			}
		}
	}
	return all
}

// below returns the lists of segments that the rest of a path may match if it begins with some folders.
func below(segments []segment, folders []string) [][]segment {
	rests := [][]segment{segments}
	for _, folder := range folders {
		var next [][]segment
		for _, rest := range rests {
			next = append(next, after(rest, folder)...)
		}
		rests = next
	}
	return rests
}

// after returns the segments that the rest of a path must match if it begins with part. There are two such lists if **
// may match more than part.
func after(segments []segment, part string) [][]segment {
	if len(segments) == 0 {
		return nil
	}
	s, rest := segments[0], segments[1:]
	switch {
	case s.kind == doubleStar:
		return append(after(rest, part), segments)
	case s.kind == literal && (s.text == part || (part == hubID && isNumber(s.text))),
		s.kind == glob && (globMatch(s.text, part) || (part == hubID && strings.Trim(s.text, "0123456789*") == "")):
		return [][]segment{rest}
	}
	return nil
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// WithoutHubID returns the pattern without its folder below /hubfs, and the folder, which may be a HubID. The folder is
// empty if there is none, or nothing follows it.
func (p Pattern) WithoutHubID() (_ Pattern, folder string) {
	at := slices.IndexFunc(p.segments, func(s segment) bool { return s.text == "hubfs" }) + 1
	if at == 0 || at > 2 || at >= len(p.segments)-1 || p.segments[0].text == "hub" {
		return Pattern{}, ""
	}
	folder = p.segments[at].text
	if !strings.ContainsFunc(folder, unicode.IsDigit) || strings.Trim(folder, "0123456789*") != "" {
		return Pattern{}, ""
	}
	segments := append([]segment{{kind: literal, text: "hubfs"}}, p.segments[at+1:]...)
	return Pattern{text: "/hubfs" + p.written(at+1), segments: segments}, folder
}
