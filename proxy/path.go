// Package proxy decides for every request whether it may pass, and passes it on to HubSpot.
package proxy

import (
	"net/http"
	"strings"
	"unicode/utf8"
)

// Path is a canonical path: the one reading of a request target on which everything is decided, and the one spelling of it that is
// forwarded. It cannot hold a query, a fragment, an encoded slash or a dot segment, so a matcher cannot see one.
type Path struct {
	escaped string // as it is forwarded: percent-encoded, exactly what was judged
	folded  string // as it is matched: decoded once, NFC, case folded, without a trailing slash
}

// Escaped is the spelling that was judged, for the request to the origin.
func (p Path) Escaped() string { return p.escaped }

// String is the matched form.
func (p Path) String() string { return p.folded }

// Under tells whether the path is prefix or lies below it by whole segments, and what follows ("" for the prefix itself). The prefix
// must be a canonical, folded path.
func (p Path) Under(prefix string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(p.folded, foldASCII(prefix))
	if !ok || (rest != "" && rest[0] != '/') {
		return "", false
	}
	return strings.TrimPrefix(rest, "/"), true
}

// PathError says why a target has no single reading.
type PathError struct{ Reason string } // a closed word; see the constants

func (e *PathError) Error() string { return "proxy: path refused: " + e.Reason }

// Why a target is refused. Each is a known way to make a matcher and an origin see different paths.
const (
	tooLong        = "too_long"
	notAbsolute    = "not_absolute"    // absolute-, authority- or asterisk-form, or no leading slash
	badEscape      = "bad_escape"      // % without two hex digits
	doubleEncoding = "double_encoding" // what decodes to another escape
	encodedSlash   = "encoded_slash"   // %2f, %5c
	backslash      = "backslash"       // \
	control        = "control"         // NUL, C0, C1, DEL
	parameter      = "parameter"       // ; begins a path parameter at some origins
	delimiter      = "delimiter"       // ? or # in disguise
	dotSegment     = "dot_segment"     // . or .. in any spelling
	emptySegment   = "empty_segment"   // //
	edge           = "edge"            // a segment that begins with a space or ends with a dot or a space: file systems trim them
	badUTF8        = "bad_utf8"        // invalid or overlong
	compatibility  = "compatibility"   // characters that some origins take for others
	invisible      = "invisible"       // zero-width, bidi, fillers
	tooDeep        = "too_deep"
)

const (
	maxPath     = 8 << 10
	maxSegments = 256
)

// PathReasons lists every PathError.Reason.
func PathReasons() []string {
	return []string{tooLong, notAbsolute, badEscape, doubleEncoding, encodedSlash, backslash, control, parameter, delimiter,
		dotSegment, emptySegment, edge, badUTF8, compatibility, invisible, tooDeep}
}

// ParsePath judges the escaped path of a request target, everything before the first "?". It decodes once and refuses whatever a
// reasonable origin could read in a second way (security: matcher and forwarder must see one path).
func ParsePath(raw string) (Path, error) {
	if reason := scan(raw); reason != "" {
		return Path{}, &PathError{reason}
	}
	if isPlain(raw) {
		return Path{escaped: raw, folded: trimSlash(raw)}, nil
	}
	decoded, reason := decode(raw)
	if reason == "" && decodesAgain(decoded) {
		reason = doubleEncoding
	}
	if reason == "" {
		reason = checkSegments(decoded)
	}
	if reason != "" {
		return Path{}, &PathError{reason}
	}
	if isASCII(decoded) {
		return Path{escaped: raw, folded: trimSlash(foldASCII(decoded))}, nil
	}
	if reason := checkUnicode(decoded); reason != "" {
		return Path{}, &PathError{reason}
	}
	return Path{escaped: escapeNonASCII(raw), folded: trimSlash(fold(decoded))}, nil
}

// ParseTarget judges a request's target as it came over the wire, in HTTP/1 and HTTP/2 alike. net/http's parsed URL has lost
// spellings by then; RequestURI has not.
func ParseTarget(r *http.Request) (Path, error) {
	target := r.RequestURI
	if r.URL.Host != "" && r.Method != http.MethodConnect && !strings.HasPrefix(target, "/") {
		var ok bool
		if target, ok = absoluteTarget(r); !ok {
			return Path{}, &PathError{notAbsolute}
		}
	}
	if !strings.HasPrefix(target, "/") || r.Method == http.MethodConnect {
		return Path{}, &PathError{notAbsolute}
	}
	if strings.IndexByte(target, '#') >= 0 { // a fragment is never sent; whoever sends one wants it cut somewhere (PB-16)
		return Path{}, &PathError{delimiter}
	}
	path, query, _ := strings.Cut(target, "?")
	if strings.ContainsFunc(query, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
		return Path{}, &PathError{control} // HTTP/2 can carry a space; in HTTP/1 it would end the target (request splitting)
	}
	return ParsePath(path)
}

// absoluteTarget is the origin-form of "GET http://host/path": net/http took Host from it, so it fits by construction; user-info
// and other schemes do not (PB-20).
func absoluteTarget(r *http.Request) (string, bool) {
	if (r.URL.Scheme != "http" && r.URL.Scheme != "https") || r.URL.User != nil || r.URL.Host != r.Host {
		return "", false
	}
	_, rest, _ := strings.Cut(r.RequestURI, "://")
	i := strings.IndexAny(rest, "/?#")
	if i < 0 {
		return "/", true
	}
	if rest[i] != '/' {
		return "/" + rest[i:], true
	}
	return rest[i:], true
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
		case c == ';':
			return parameter
		case c == '?' || c == '#':
			return delimiter
		}
	}
	return ""
}

// isPlain tells the common clean path that is its own canonical form: lower-case ASCII, no escapes, no empty or odd segments.
func isPlain(raw string) bool {
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c == '%' || c >= utf8.RuneSelf || ('A' <= c && c <= 'Z') {
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

func decode(raw string) (decoded, reason string) {
	if strings.IndexByte(raw, '%') < 0 {
		return raw, ""
	}
	var b strings.Builder
	b.Grow(len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != '%' {
			b.WriteByte(raw[i])
			continue
		}
		c, ok := unhex(raw, i)
		if !ok {
			return "", badEscape
		}
		switch {
		case c == '/' || c == '\\':
			return "", encodedSlash
		case c < ' ' || c == 0x7f:
			return "", control
		case c == ';':
			return "", parameter
		case c == '?' || c == '#':
			return "", delimiter
		}
		b.WriteByte(c)
		i += 2
	}
	return b.String(), ""
}

// decodesAgain tells whether what was decoded once holds another escape, which some origin would decode too (PB-03), in the form of
// IIS (%u002f) as well.
func decodesAgain(decoded string) bool {
	for i := 0; i+2 < len(decoded); i++ {
		if decoded[i] == '%' && (isHex(decoded[i+1]) || decoded[i+1]|0x20 == 'u') && isHex(decoded[i+2]) {
			return true
		}
	}
	return false
}

// checkSegments refuses segments that origins drop, resolve or trim.
func checkSegments(decoded string) string {
	rest := decoded[1:]
	for rest != "" {
		segment, after, more := strings.Cut(rest, "/")
		switch {
		case segment == "":
			return emptySegment
		case segment == "." || segment == "..":
			return dotSegment
		case segment[0] == ' ' || segment[len(segment)-1] == ' ' || segment[len(segment)-1] == '.':
			return edge
		}
		if rest = after; !more {
			break
		}
	}
	return ""
}

func trimSlash(path string) string {
	if len(path) > 1 && path[len(path)-1] == '/' {
		return path[:len(path)-1]
	}
	return path
}

func unhex(raw string, i int) (byte, bool) {
	if i+2 >= len(raw) || !isHex(raw[i+1]) || !isHex(raw[i+2]) {
		return 0, false
	}
	return nibble(raw[i+1])<<4 | nibble(raw[i+2]), true
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func nibble(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	}
	return c - 'a' + 10
}
