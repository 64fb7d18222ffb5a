package urlpath

// Error says why a target has no single reading.
type Error struct{ Reason string } // a closed word; see the constants

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

// Reasons lists every PathError.Reason.
func Reasons() []string {
	return []string{tooLong, notAbsolute, badEscape, doubleEncoding, encodedSlash, backslash, control, parameter, delimiter,
		dotSegment, emptySegment, edge, badUTF8, compatibility, invisible, tooDeep}
}
