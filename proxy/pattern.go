package proxy

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hubgate/hubgate/internal/setting"
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
	path, err := ParsePath(strings.ReplaceAll(text, " ", "%20"))
	var refused *PathError
	if errors.As(err, &refused) {
		return pattern{}, &setting.Invalid{
			Text: setting.Quote(text) + " can never match: a request for it is refused (" + refused.Reason + ")",
			Cure: "write the path as it stands in the address bar",
		}
	}
	if what := path.Slip(); what != "" {
		return pattern{}, &setting.Invalid{
			Text: setting.Quote(text) + " has " + what + ", which is probably a slip of the keyboard",
			Cure: "remove it; * stands for it if it is part of a file's name",
		}
	}
	p := pattern{text: text}
	for _, part := range splitPath(path.String()) {
		s, bad := parseSegment(text, part)
		if bad != nil {
			return pattern{}, bad
		}
		if n := len(p.segments); s.kind == doubleStar && n > 0 && p.segments[n-1].kind == doubleStar {
			return pattern{}, &setting.Invalid{Text: setting.Quote(text) + " has ** twice in a row", Cure: "one ** already stands for any number of segments"}
		}
		p.segments = append(p.segments, s)
	}
	if p.stars() > 3 {
		return pattern{}, &setting.Invalid{Text: setting.Quote(text) + " has more than three **", Cure: "write several patterns"}
	}
	return p, nil
}

// hostBeforePath is a host name in front of a path, or alone.
var hostBeforePath = regexp.MustCompile(`^([a-z0-9-]+\.)+[a-z]{2,}(:[0-9]+)?/`)

// misread names what people write in place of a pattern.
func misread(text string) *setting.Invalid {
	switch {
	case text == "":
		return &setting.Invalid{Text: "the path is empty", Cure: "write a path such as /members/**"}
	case strings.Contains(text, "://"):
		_, after, _ := strings.Cut(text, "://")
		path := "/"
		if i := strings.IndexByte(after, '/'); i >= 0 {
			path = after[i:]
		}
		return &setting.Invalid{Text: setting.Quote(text) + " is a URL, not a path", Cure: "write " + setting.Quote(path) + "; the host goes into hosts"}
	case text[0] == '^' || text[len(text)-1] == '$' || strings.Contains(text, ".*") || strings.Contains(text, `\`) || strings.Contains(text, "(?"):
		return &setting.Invalid{Text: setting.Quote(text) + " looks like a regular expression", Cure: "write a pattern such as /members/**; * stands for characters of one segment, ** for whole segments"}
	case strings.Contains(text, "|"):
		return &setting.Invalid{Text: setting.Quote(text) + " looks like a regular expression", Cure: "write a list of patterns: [/a, /b]"}
	case strings.TrimSpace(text) != text && strings.HasPrefix(strings.TrimSpace(text), "/"):
		return &setting.Invalid{Text: setting.Quote(text) + " has white space around it", Cure: "write " + setting.Quote(strings.TrimSpace(text))}
	case text[0] != '/' && hostBeforePath.MatchString(text):
		_, path, _ := strings.Cut(text, "/")
		return &setting.Invalid{Text: setting.Quote(text) + " begins with a host", Cure: "write " + setting.Quote("/"+path) + "; the host goes into hosts"}
	case text[0] != '/':
		return &setting.Invalid{Text: setting.Quote(text) + " does not begin with /", Cure: "write " + setting.Quote("/"+strings.TrimSpace(text))}
	case strings.ContainsAny(text, "?#"):
		return &setting.Invalid{Text: setting.Quote(text) + " has a query or a fragment, which rules never see",
			Cure: "write " + setting.Quote(withoutQuery(text))}
	}
	return nil
}

// withoutQuery is a pattern without its query and fragment. In the name of a file "?" and "#" are characters like any
// other, which an address has encoded.
func withoutQuery(text string) string {
	i := strings.IndexAny(text, "?#")
	if i < 0 {
		return text
	}
	rest := text[i+1:]
	if inFiles(text[:i]) && strings.ContainsAny(rest, "/.*") && !strings.Contains(rest, "=") {
		return strings.NewReplacer("?", "%3F", "#", "%23").Replace(text)
	}
	return text[:i]
}

func parseSegment(text, part string) (segment, *setting.Invalid) {
	switch {
	case part == "**":
		return segment{kind: doubleStar}, nil
	case strings.Contains(part, "**"):
		return segment{}, &setting.Invalid{Text: setting.Quote(text) + " has ** inside a segment", Cure: "** is a whole segment (/members/**); * stands for characters of one segment (/members*)"}
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

// compare orders patterns by how specific they are, the more specific first: segment by segment from the left a literal beats one
// with *, of which more literal characters beat fewer, and that beats **; a pattern that ends beats one that goes on.
func compare(a, b pattern) int {
	return slices.CompareFunc(a.segments, b.segments, compareSegments)
}

func compareSegments(a, b segment) int {
	if a.kind != b.kind {
		return int(a.kind) - int(b.kind)
	}
	if a.kind == glob {
		return b.literals - a.literals
	}
	return 0
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
