package urlpath

// Error is returned for a target that is ambiguous or malformed.
type Error struct{ Reason string } // one of Reasons

func (e *Error) Error() string { return "proxy: path refused: " + e.Reason }

// The reasons. Each is a known way to make a matcher and an origin see different paths.
const (
	tooLong        = "too_long"
	notAbsolute    = "not_absolute"    // absolute-, authority- or asterisk-form, or no leading slash
	badEscape      = "bad_escape"      // % without two hex digits
	doubleEncoding = "double_encoding" // an escape that decodes to another escape
	encodedSlash   = "encoded_slash"   // %2f, %5c
	backslash      = "backslash"       // \
	control        = "control"         // NUL, C0, C1, DEL
	parameter      = "parameter"       // ; begins a path parameter at some origins
	delimiter      = "delimiter"       // ? or # in disguise
	dotSegment     = "dot_segment"     // . or .. in any spelling
	emptySegment   = "empty_segment"   // //
	edge           = "edge"            // a space around a segment or a dot at its end, which file systems trim
	badUTF8        = "bad_utf8"        // invalid or overlong
	compatibility  = "compatibility"   // characters that NFKC turns into ASCII
	invisible      = "invisible"       // zero-width, bidi, fillers
	tooDeep        = "too_deep"
)

const (
	maxPath     = 8 << 10
	maxSegments = 256
)

// Reasons returns every value of Error.Reason.
func Reasons() []string {
	return []string{
		tooLong, notAbsolute, badEscape, doubleEncoding, encodedSlash, backslash, control, parameter, delimiter,
		dotSegment, emptySegment, edge, badUTF8, compatibility, invisible, tooDeep,
	}
}
