package rules

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/urlpath"
)

// pattern is a rule's path: segments that are literal, hold "*", or are "**".
type pattern struct {
	text     string // as the operator wrote it
	segments []segment
}

type kind uint8

const (
	literal    kind = iota + 1 // the text itself
	glob                       // with *: any run of characters inside the segment
	doubleStar                 // any number of whole segments, none included
)

type segment struct {
	kind     kind
	text     string // folded
	literals int    // of a glob: characters that are not *
}

// parsePattern reads a pattern strictly: a mistyped one would protect nothing (PB-32).
func parsePattern(text string) (pattern, *setting.Invalid) {
	if bad := misread(text); bad != nil {
		return pattern{}, bad
	}
	path, err := urlpath.Parse(strings.ReplaceAll(text, " ", "%20"))
	var refused *urlpath.Error
	if errors.As(err, &refused) {
		return pattern{}, &setting.Invalid{
			Text: setting.Quote(text) + " can never match: such requests are refused (" + refused.Reason + ")",
			Cure: "write the path as the browser's address bar shows it",
		}
	}
	if what := path.Slip(); what != "" {
		return pattern{}, &setting.Invalid{
			Text: setting.Quote(text) + " has " + what + ", probably a typing mistake",
			Cure: "remove it, or write * if it is part of a file's name",
		}
	}
	p := pattern{text: text}
	for _, part := range splitPath(path.String()) {
		s, bad := parseSegment(text, part)
		if bad != nil {
			return pattern{}, bad
		}
		if n := len(p.segments); s.kind == doubleStar && n > 0 && p.segments[n-1].kind == doubleStar {
			return pattern{}, &setting.Invalid{Text: setting.Quote(text) + " has ** twice in a row", Cure: "write one **, which matches any number of segments"}
		}
		p.segments = append(p.segments, s)
	}
	if p.stars() > 3 {
		return pattern{}, &setting.Invalid{Text: setting.Quote(text) + " has more than three **", Cure: "write several patterns"}
	}
	return p, nil
}

func parseSegment(text, part string) (segment, *setting.Invalid) {
	switch {
	case part == "**":
		return segment{kind: doubleStar}, nil
	case strings.Contains(part, "**"):
		return segment{}, &setting.Invalid{Text: setting.Quote(text) + " has ** inside a segment", Cure: "write ** as a whole segment (/members/**), or * for characters within a segment (/members*)"}
	case strings.Contains(part, "*"):
		return segment{kind: glob, text: part, literals: utf8.RuneCountInString(part) - strings.Count(part, "*")}, nil
	}
	return segment{kind: literal, text: part}, nil
}

func splitPath(path string) []string {
	if path == "/" {
		return nil
	}
	return strings.Split(path[1:], "/")
}

func (p pattern) stars() int {
	n := 0
	for _, s := range p.segments {
		if s.kind == doubleStar {
			n++
		}
	}
	return n
}

// folded is the pattern's one spelling: equal for patterns that match the same paths by the same shape.
func (p pattern) folded() string {
	var b strings.Builder
	for _, s := range p.segments {
		b.WriteByte('/')
		if s.kind == doubleStar {
			b.WriteString("**")
		}
		b.WriteString(s.text)
	}
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}

// simple tells patterns of literals that may end in **: two of them either contain one another or have no path in common.
func (p pattern) simple() bool {
	for i, s := range p.segments {
		if s.kind == glob || (s.kind == doubleStar && i < len(p.segments)-1) {
			return false
		}
	}
	return true
}

// above lists the spellings of the folders with all below them, X/**, in which a simple pattern lies, the widest first.
func (p pattern) above() []string {
	segments := p.segments
	if n := len(segments); n > 0 && segments[n-1].kind == doubleStar {
		segments = segments[:n-1]
	} else {
		segments = append(segments[:n:n], segment{}) // X lies in X/** too
	}
	var all []string
	folder := ""
	for _, s := range segments {
		all = append(all, folder+"/**")
		folder += "/" + s.text
	}
	return all
}

// globMatch tells whether text matches a segment with *. Linear: on a mismatch only the last * is tried again.
func globMatch(pattern, text string) bool {
	star, mark := -1, 0
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && pattern[p] == text[t]:
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
