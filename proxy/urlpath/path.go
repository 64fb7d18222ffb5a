package urlpath

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Path is a canonical path: the reading of a request target on which everything is decided, and the one spelling of
// it that is forwarded. It cannot hold a query, a fragment, an encoded slash or a dot segment, so a matcher cannot
// see one.
type Path struct {
	escaped   string     // as it is forwarded: percent-encoded, exactly what was judged
	folded    string     // as it is matched: decoded once, NFKC, case folded, without a trailing slash
	ambiguity *ambiguity // what else an origin may take it for; nil for nothing
}

// Matched returns the Path whose matched form is given, for judging a pattern's own examples.
func Matched(matched string) Path { return Path{folded: matched} }

// ambiguity is what an origin may take a path for besides its canonical form.
type ambiguity struct {
	readings []string      // in the form that is matched
	params   PreviewParams // of a query that an origin may find in the path
}

// Escaped is the spelling that was judged, for the request to the origin.
func (p Path) Escaped() string { return p.escaped }

// String is the matched form.
func (p Path) String() string { return p.folded }

// Readings returns the forms that are matched: String first, then what else an origin may take the path for.
func (p Path) Readings() []string { return append([]string{p.folded}, p.Alternatives()...) }

// Alternatives returns what else than String an origin may take the path for.
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

// Under tells whether the path is prefix or lies below it by whole segments, and what follows ("" for the prefix itself). The prefix
// must be a canonical, folded path.
func (p Path) Under(prefix string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(p.folded, foldASCII(prefix))
	if !ok || (rest != "" && rest[0] != '/') {
		return "", false
	}
	return strings.TrimPrefix(rest, "/"), true
}

func (e *Error) Error() string { return "proxy: path refused: " + e.Reason }

// Parse judges the escaped path of a request target, everything before the first "?". It decodes once and refuses
// whatever a reasonable origin could read in a second way (security: matcher and forwarder must see one path). Names of
// HubSpot's files may hold anything: their addresses are taken with all their readings, each of which is judged.
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
	doubt := ambiguous(decoded)
	if doubt != "" && !InFiles(decoded) {
		return Path{}, &Error{doubt}
	}
	p := Path{escaped: escapeNonASCII(raw), folded: matched(fold(decoded))}
	switch {
	case doubt != "", strings.IndexByte(decoded, '+') >= 0, InFiles(decoded) && ambiguousName(decoded):
		if p.ambiguity, reason = readings(raw, p.folded); reason != "" {
			return Path{}, &Error{reason}
		}
	case strings.ContainsAny(decoded, wide):
		p.ambiguity = &ambiguity{readings: []string{trimSlash(narrow(decoded))}}
	}
	return p, nil
}

// ambiguousName reports whether a file's name, although it is fit for a page, has a second reading.
func ambiguousName(decoded string) bool {
	return strings.ContainsAny(decoded, "&:") || WithoutMarks(decoded) != decoded
}

// ambiguous returns why a path has a second reading, "" when it has none. A plus sign is not counted: some origins take
// it for a space, but pages have it in their names.
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

// scan refuses what is wrong in any spelling and needs no decoding.
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

// isPlain tells the common clean path that is its own canonical form: lower-case ASCII, no escapes, no empty or odd
// segments, nothing that is read in two ways.
func isPlain(raw string) bool {
	// A bit for each odd character, of the first and the second 64.
	const odd, upperCase = 1<<'%' | 1<<'+' | 1<<';', (1<<26 - 1) << ('A' - 64)
	masks := [2]uint64{odd, upperCase}
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c >= utf8.RuneSelf || masks[c>>6]>>(c&63)&1 == 1 {
			return false
		}
		// A dot or a slash right after a slash, or a dot before one, is for the thorough way.
		if i > 0 && raw[i-1] == '/' && (c == '/' || c == '.') {
			return false
		}
		if c == '.' && (i+1 == len(raw) || raw[i+1] == '/') {
			return false
		}
	}
	return true
}

// checkSegments refuses segments that origins drop or resolve.
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

// hasEdges reports whether a segment has what origins trim: a space at either end, a dot at its end.
func hasEdges(decoded string) bool {
	for i := 1; i < len(decoded); i++ {
		first, last := decoded[i-1] == '/', i+1 == len(decoded) || decoded[i+1] == '/'
		if (decoded[i] == ' ' && (first || last)) || (decoded[i] == '.' && last) {
			return true
		}
	}
	return false
}

// matched is a folded text as a path: with one slash for each run of slashes and backslashes, none at the end.
func matched(folded string) string {
	return trimSlash(squeeze(strings.ReplaceAll(folded, `\`, "/")))
}

func trimSlash(path string) string {
	if len(path) > 1 && path[len(path)-1] == '/' {
		return path[:len(path)-1]
	}
	return path
}

// Slip returns what a pattern for files has only by mistake, although requests may have it: it would protect nothing.
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
