package pattern

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/urlpath"
)

// Pattern is a rule's path: its segments are literal, contain "*", or are "**".
type Pattern struct {
	text     string // as the operator wrote it
	segments []segment
}

type kind uint8

const (
	literal    kind = iota + 1 // the text itself
	glob                       // with *: any run of characters inside the segment
	doubleStar                 // any number of whole segments, including none
)

type segment struct {
	kind     kind
	text     string // folded
	literals int    // how many characters of a glob are not *
}

// Parse parses a pattern strictly: a mistyped one would protect nothing.
func Parse(text string) (Pattern, *setting.Invalid) {
	if bad := misread(text); bad != nil {
		return Pattern{}, bad
	}
	path, err := urlpath.Parse(strings.ReplaceAll(text, " ", "%20"))
	var refused *urlpath.Error
	if errors.As(err, &refused) {
		return Pattern{}, &setting.Invalid{
			Text: setting.Quote(text) + " can never match: such requests are refused (" + refused.Reason + ")",
			Cure: "write the path as the browser's address bar shows it",
		}
	}
	if what := path.Slip(); what != "" {
		return Pattern{}, &setting.Invalid{
			Text: setting.Quote(text) + " has " + what + ", which is probably a typing mistake",
			Cure: "remove it, or write * if it is part of a file's name",
		}
	}
	p := Pattern{text: text}
	for _, part := range splitPath(path.String()) {
		s, bad := parseSegment(text, part)
		if bad != nil {
			return Pattern{}, bad
		}
		if n := len(p.segments); s.kind == doubleStar && n > 0 && p.segments[n-1].kind == doubleStar {
			return Pattern{}, &setting.Invalid{
				Text: setting.Quote(text) + " has ** twice in a row",
				Cure: "one ** already matches any number of segments",
			}
		}
		p.segments = append(p.segments, s)
	}
	if p.stars() > 3 {
		return Pattern{}, &setting.Invalid{
			Text: setting.Quote(text) + " has more than three **", Cure: "write several patterns",
		}
	}
	return p, nil
}

// Below returns the pattern of a folder and everything below it.
func Below(folder string) Pattern {
	p := Pattern{text: folder + "/**"}
	for _, part := range splitPath(folder) {
		p.segments = append(p.segments, segment{kind: literal, text: part})
	}
	p.segments = append(p.segments, segment{kind: doubleStar})
	return p
}

func parseSegment(text, part string) (segment, *setting.Invalid) {
	switch {
	case part == "**":
		return segment{kind: doubleStar}, nil
	case strings.Contains(part, "**"):
		return segment{}, &setting.Invalid{
			Text: setting.Quote(text) + " has ** inside a segment",
			Cure: "write ** as a whole segment (/members/**), or * for characters within a segment (/members*)",
		}
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

func (p Pattern) stars() int {
	n := 0
	for _, s := range p.segments {
		if s.kind == doubleStar {
			n++
		}
	}
	return n
}

// String returns the pattern as the operator wrote it.
func (p Pattern) String() string { return p.text }

// Folded returns the pattern in the form that is compared. Patterns that differ only in spelling have the same.
func (p Pattern) Folded() string {
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

// Simple reports whether all segments are literals, except ** at the end. Of two simple patterns either one contains
// the other, or no path matches both.
func (p Pattern) Simple() bool {
	for i, s := range p.segments {
		if s.kind == glob || (s.kind == doubleStar && i < len(p.segments)-1) {
			return false
		}
	}
	return true
}

// OnlyWildcards reports whether the pattern has no character of its own, so that it names no page.
func (p Pattern) OnlyWildcards() bool {
	return !slices.ContainsFunc(p.segments, func(s segment) bool { return s.kind == literal || s.literals > 0 })
}

// Above returns the folded forms of the patterns X/** that contain a simple pattern, the widest first.
func (p Pattern) Above() []string {
	segments := p.segments
	if n := len(segments); n > 0 && segments[n-1].kind == doubleStar {
		segments = segments[:n-1]
	} else {
		segments = append(segments[:n:n], segment{}) // X/** contains X
	}
	var all []string
	folder := ""
	for _, s := range segments {
		all = append(all, folder+"/**")
		folder += "/" + s.text
	}
	return all
}

// globMatch reports whether text matches a segment with *. On a mismatch it retries only the last *, so that the time
// is linear.
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
