package source

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hubgate/hubgate/internal/setting"
)

// checkVisible rejects characters that a person cannot see in a value that is inserted into the configuration, such as
// an editor's byte order mark or a copied space. The value would pass every other check, and then each login would
// fail. Source is where the value comes from.
func checkVisible(value, source string) *setting.Invalid {
	if !utf8.ValidString(value) {
		return &setting.Invalid{Text: source + " is not UTF-8 text", Cure: "save it as UTF-8"}
	}
	first, _ := utf8.DecodeRuneInString(value)
	last, _ := utf8.DecodeLastRuneInString(value)
	inner := strings.IndexFunc(value, unicode.IsControl)
	switch {
	case value == "":
		return nil
	case invisible(first):
		return &setting.Invalid{Text: source + " begins with " + CharName(first), Cure: charCure(first)}
	case invisible(last):
		return &setting.Invalid{Text: source + " ends with " + CharName(last), Cure: charCure(last)}
	case inner >= 0:
		r, _ := utf8.DecodeRuneInString(value[inner:])
		return &setting.Invalid{Text: source + " contains " + CharName(r), Cure: "write only the value, on one line"}
	}
	return nil
}

// utf16Mark reports whether a file is UTF-16, as some editors on Windows write it.
func utf16Mark(text []byte) bool {
	return bytes.HasPrefix(text, []byte{0xff, 0xfe}) || bytes.HasPrefix(text, []byte{0xfe, 0xff})
}

// blanks are letters and marks without a glyph: Hangul fillers, the blank Braille pattern, variation selectors.
var blanks = &unicode.RangeTable{R16: []unicode.Range16{
	{Lo: 0x034f, Hi: 0x034f, Stride: 1}, {Lo: 0x115f, Hi: 0x1160, Stride: 1}, {Lo: 0x2800, Hi: 0x2800, Stride: 1},
	{Lo: 0x3164, Hi: 0x3164, Stride: 1}, {Lo: 0xfe00, Hi: 0xfe0f, Stride: 1}, {Lo: 0xffa0, Hi: 0xffa0, Stride: 1},
}}

// invisible reports whether a character shows nothing: white space, controls, format and direction marks, and blanks.
func invisible(r rune) bool {
	return r == ' ' || !unicode.IsPrint(r) || unicode.Is(blanks, r)
}

// Hidden reports whether a character is invisible in the middle of a value too.
func Hidden(r rune) bool { return r != ' ' && invisible(r) }

const byteOrderMark = 0xfeff

// CharName returns the name of an invisible character.
func CharName(r rune) string {
	switch r {
	case ' ':
		return "a space"
	case '\t':
		return "a tab"
	case '\n', '\r':
		return "a line break"
	case 0:
		return "a NUL byte"
	case byteOrderMark:
		return "a byte order mark (U+FEFF)"
	case 0xa0:
		return "a no-break space (U+00A0)"
	}
	return fmt.Sprintf("an invisible character (U+%04X)", r)
}

// EdgeCure is the cure for invisible characters at the edge of a value.
const EdgeCure = "remove it; only a single newline at the end of a ${file:...} is ignored"

func charCure(r rune) string {
	if r == byteOrderMark {
		return "save it as UTF-8 without a byte order mark"
	}
	return EdgeCure
}
