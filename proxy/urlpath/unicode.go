package urlpath

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// checkUnicode finds invalid UTF-8 and control characters.
func checkUnicode(decoded string) string {
	if isASCII(decoded) {
		return ""
	}
	if !utf8.ValidString(decoded) {
		return badUTF8
	}
	for _, r := range decoded {
		switch {
		case r < utf8.RuneSelf:
		case unicode.IsControl(r):
			return control
		}
	}
	return ""
}

// invisibles are the characters without a glyph, which some origins drop: Default_Ignorable_Code_Point, format
// characters, line and paragraph separators, private use, noncharacters and the replacement character.
var invisibles = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x00ad, 0x00ad, 1}, {0x034f, 0x034f, 1}, {0x0600, 0x0605, 1}, {0x061c, 0x061c, 1}, {0x06dd, 0x06dd, 1},
		{0x070f, 0x070f, 1}, {0x0890, 0x0891, 1}, {0x08e2, 0x08e2, 1}, {0x115f, 0x1160, 1}, {0x17b4, 0x17b5, 1},
		{0x180b, 0x180f, 1}, {0x200b, 0x200f, 1}, {0x2028, 0x202e, 1}, {0x2060, 0x206f, 1}, {0x3164, 0x3164, 1},
		{0xe000, 0xf8ff, 1}, {0xfdd0, 0xfdef, 1}, {0xfe00, 0xfe0f, 1}, {0xfeff, 0xfeff, 1}, {0xffa0, 0xffa0, 1},
		{0xfff0, 0xfffb, 1}, {0xfffd, 0xffff, 1},
	},
	R32: []unicode.Range32{
		{0x110bd, 0x110bd, 1}, {0x110cd, 0x110cd, 1}, {0x13430, 0x1343f, 1}, {0x1bca0, 0x1bca3, 1}, {0x1d173, 0x1d17a, 1},
		{0x1fffe, 0x1ffff, 1}, {0x2fffe, 0x2ffff, 1}, {0x3fffe, 0x3ffff, 1}, {0x4fffe, 0x4ffff, 1}, {0x5fffe, 0x5ffff, 1},
		{0x6fffe, 0x6ffff, 1}, {0x7fffe, 0x7ffff, 1}, {0x8fffe, 0x8ffff, 1}, {0x9fffe, 0x9ffff, 1}, {0xafffe, 0xaffff, 1},
		{0xbfffe, 0xbffff, 1}, {0xcfffe, 0xcffff, 1}, {0xdfffe, 0xe0fff, 1}, {0xefffe, 0x10ffff, 1},
	},
}

// dropInvisible removes invisible characters, as some origins do.
func dropInvisible(text string) string {
	if isASCII(text) {
		return text
	}
	return strings.Map(func(r rune) rune {
		if isInvisible(r) {
			return -1
		}
		return r
	}, text)
}

func isInvisible(r rune) bool { return r >= utf8.RuneSelf && unicode.Is(invisibles, r) }

// slashes are look-alikes that Windows code pages convert to / and \.
const slashes = "\u2044\u2215\u2216\u29f5\u29f8"

// checkRune returns why some origin takes a character for another one or drops it, "" for none.
func checkRune(r rune) string {
	if unicode.Is(unicode.Z, r) || isInvisible(r) {
		return invisible
	}
	// Full-width letters, ligatures, superscripts, the Kelvin sign and the Greek question mark become ASCII if an
	// origin normalizes. Letters that NFKC only decomposes, like Thai sara am, are compared in that form.
	if strings.ContainsRune(slashes, r) {
		return compatibility
	}
	if norm.NFKC.PropertiesString(string(r)).Decomposition() == nil {
		return ""
	}
	if strings.ContainsFunc(norm.NFKC.String(string(r)), func(r rune) bool { return r < utf8.RuneSelf }) {
		return compatibility
	}
	return ""
}
