package urlpath

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Path is a canonical path: the form on which everything is decided, and the one spelling that is forwarded. It cannot
// contain a query, a fragment, an encoded slash or a dot segment, so a matcher never sees one.
type Path struct {
	escaped   string     // as it is forwarded: percent-encoded, exactly as it was parsed
	folded    string     // as it is matched: decoded once, NFKC, case folded, without a trailing slash
	ambiguity *ambiguity // what else an origin may take it for; nil for nothing else
}

// Matched returns a Path with a given matched form, for examples of patterns. It cannot be forwarded.
func Matched(matched string) Path { return Path{folded: matched} }

// ambiguity is what an origin may take a path for other than its canonical form.
type ambiguity struct {
	readings []string      // in the form that is matched
	params   PreviewParams // of a query that an origin may find in the path
}

// Escaped returns the percent-encoded spelling, for the request to the origin.
func (p Path) Escaped() string { return p.escaped }

// String returns the form that is matched.
func (p Path) String() string { return p.folded }

// Readings returns all forms that are matched: String, then Alternatives.
func (p Path) Readings() []string { return append([]string{p.folded}, p.Alternatives()...) }

// Alternatives returns the forms other than String that an origin may take the path for.
func (p Path) Alternatives() []string {
	if p.ambiguity == nil {
		return nil
	}
	return p.ambiguity.readings
}

// Params returns the preview parameters of a query that an origin may find in the path.
func (p Path) Params() PreviewParams {
	if p.ambiguity == nil {
		return 0
	}
	return p.ambiguity.params
}

// Under reports whether the path is prefix or below it, by whole segments, and returns the rest ("" for prefix itself).
// The prefix must be a canonical path.
func (p Path) Under(prefix string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(p.folded, foldASCII(prefix))
	if !ok || (rest != "" && rest[0] != '/') {
		return "", false
	}
	return strings.TrimPrefix(rest, "/"), true
}

// Parse parses the escaped path of a request target, which is everything before the first "?". It decodes once and
// refuses whatever a plausible origin could read in a second way, because the origin must serve the path that was
// matched (interpretation conflict, CWE-436). Names of HubSpot's files may contain anything, so their addresses are
// accepted with all readings, each of which must be matched.
func Parse(raw string) (Path, error) {
	if reason := scan(raw); reason != "" {
		return Path{}, &Error{reason}
	}
	if isPlain(raw) && ((strings.IndexByte(raw, '&') < 0 && strings.IndexByte(raw, ':') < 0) || !InFiles(raw)) {
		return Path{escaped: raw, folded: trimSlash(raw)}, nil
	}
	decoded, reason := decode(raw)
	if reason == "" {
		reason = checkSegments(decoded)
	}
	if reason == "" {
		reason = checkUnicode(decoded)
	}
	if reason == "" && expands(decoded) {
		reason = tooLong
	}
	if reason != "" {
		return Path{}, &Error{reason}
	}
	unclear := ambiguous(decoded)
	if unclear != "" && !InFiles(decoded) {
		return Path{}, &Error{unclear}
	}
	p := Path{escaped: escapeNonASCII(raw), folded: matched(fold(decoded))}
	switch {
	case unclear != "", strings.IndexByte(decoded, '+') >= 0, InFiles(decoded) && ambiguousName(decoded):
		if p.ambiguity, reason = readings(raw, p.folded); reason != "" {
			return Path{}, &Error{reason}
		}
	case strings.ContainsAny(decoded, wide):
		p.ambiguity = &ambiguity{readings: []string{trimSlash(narrow(decoded))}}
	}
	return p, nil
}

// ambiguousName reports whether a name that is unambiguous for a page has a second reading for a file.
func ambiguousName(decoded string) bool {
	return strings.ContainsAny(decoded, "&:") || WithoutMarks(decoded) != decoded
}

// ambiguous returns why a path has a second reading, "" if it has none. A plus sign, which some origins take for a
// space, does not count, because names of pages have it.
func ambiguous(decoded string) string {
	if i := strings.IndexAny(decoded, ";?#"); i >= 0 {
		if decoded[i] == ';' {
			return parameter
		}
		return delimiter
	}
	if decodesAgain(decoded) {
		return doubleEncoding
	}
	if hasEdges(decoded) {
		return edge
	}
	for _, r := range decoded {
		if r >= utf8.RuneSelf {
			if reason := checkRune(r); reason != "" {
				return reason
			}
		}
	}
	return ""
}

// scan finds what is wrong without decoding.
func scan(raw string) string {
	if len(raw) > maxPath {
		return tooLong
	}
	if raw == "" || raw[0] != '/' {
		return notAbsolute
	}
	if strings.Count(raw, "/") > maxSegments {
		return tooDeep
	}
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '\\':
			return backslash
		case c <= ' ' || c == 0x7f:
			return control
		case c == '?' || c == '#':
			return delimiter
		}
	}
	return ""
}

// isPlain reports whether a path is its own canonical form: lower-case ASCII without escapes, empty segments, dot
// segments and ambiguous characters. Most paths are.
func isPlain(raw string) bool {
	// A bit for each character that is not plain, for the first and the second 64.
	const odd, upperCase = 1<<'%' | 1<<'+' | 1<<';', (1<<26 - 1) << ('A' - 64)
	masks := [2]uint64{odd, upperCase}
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c >= utf8.RuneSelf || masks[c>>6]>>(c&63)&1 == 1 {
			return false
		}
		// A dot or a slash after a slash, or a dot before one, needs the full parser.
		if i > 0 && raw[i-1] == '/' && (c == '/' || c == '.') {
			return false
		}
		if c == '.' && (i+1 == len(raw) || raw[i+1] == '/') {
			return false
		}
	}
	return true
}

// checkSegments finds segments that origins drop or resolve.
func checkSegments(decoded string) string {
	rest := decoded[1:]
	for rest != "" {
		segment, after, more := strings.Cut(rest, "/")
		switch segment {
		case "":
			return emptySegment
		case ".", "..":
			return dotSegment
		}
		if rest = after; !more {
			break
		}
	}
	return ""
}

// hasEdges reports whether a segment has what origins trim: a space at either end, or a dot at the end.
func hasEdges(decoded string) bool {
	for i := 1; i < len(decoded); i++ {
		first, last := decoded[i-1] == '/', i+1 == len(decoded) || decoded[i+1] == '/'
		if (decoded[i] == ' ' && (first || last)) || (decoded[i] == '.' && last) {
			return true
		}
	}
	return false
}

// matched returns a folded text as a path, with one slash for each run of slashes and backslashes and none at the end.
func matched(folded string) string {
	return trimSlash(squeeze(strings.ReplaceAll(folded, `\`, "/")))
}

func trimSlash(path string) string {
	if len(path) > 1 && path[len(path)-1] == '/' {
		return path[:len(path)-1]
	}
	return path
}

// Slip describes what a pattern for files can contain only by mistake, although a request may contain it. It returns ""
// if there is nothing. Such a pattern would protect nothing.
func (p Path) Slip() string {
	decoded, _ := decode(p.escaped)
	switch {
	case hasEdges(decoded):
		return "a segment that begins with a space, or ends with a space or a dot"
	case dropInvisible(decoded) != decoded, strings.ContainsFunc(strings.ReplaceAll(decoded, " ", ""), unicode.IsSpace):
		return "an invisible character"
	}
	return ""
}
