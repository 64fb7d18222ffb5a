package proxy

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// fold brings a decoded path to the form in which paths are compared: NFKC and full case folding, and the two Turkish letters whose
// other case is an ASCII i folded to it, since an origin that changes case takes them for it. Characters that NFKC turns into ASCII
// were refused before. The result is used for matching only, never for slicing another string (PB-12: folding changes lengths).
func fold(decoded string) string {
	if isASCII(decoded) {
		return foldASCII(decoded)
	}
	folded := cases.Fold().String(norm.NFKC.String(decoded))
	folded = strings.ReplaceAll(strings.ReplaceAll(folded, "i\u0307", "i"), "\u0131", "i")
	return norm.NFKC.String(folded)
}

// foldName brings a query to ASCII as far as some origin may: letters lose case, marks and width, and what cannot be
// seen goes. A character of which no ASCII can come stays, so that the result is never much longer than the query:
// NFKC makes 33 bytes of 3 (CWE-407).
func foldName(query string) string {
	if isASCII(query) {
		return foldASCII(query)
	}
	out := make([]byte, 0, len(query))
	for i := 0; i < len(query); {
		r, width := utf8.DecodeRuneInString(query[i:])
		if r == utf8.RuneError && width == 1 {
			if c, n := overlongASCII(query[i:]); n > 0 {
				r, width = rune(c), n
			}
		}
		i += width
		switch {
		case r < utf8.RuneSelf:
			out = append(out, byte(r))
		case r == '\u017f':
			out = append(out, 's')
		case r == '\u0131':
			out = append(out, 'i')
		case isUnseen(r) || unicode.Is(unicode.Mn, r):
		default:
			out = appendFolded(out, r)
		}
	}
	return foldASCII(string(out))
}

// overlongASCII decodes a character of ASCII in more bytes than it needs, as careless decoders do (CVE-2000-0884).
func overlongASCII(s string) (c byte, width int) {
	for width, lead := range []byte{2: 0xc0, 3: 0xe0, 4: 0xf0} {
		if width < 2 || len(s) < width || (s[0] != lead && (width != 2 || s[0] != 0xc1)) {
			continue
		}
		r := rune(s[0] & 1)
		if width > 2 {
			r = 0
		}
		for _, next := range []byte(s[1:width]) {
			r = r<<6 | rune(next&0x3f)
		}
		if r < utf8.RuneSelf {
			return byte(r), width
		}
	}
	return 0, 0
}

// appendFolded appends the ASCII that a character stands for, or the character when there is none in it.
func appendFolded(out []byte, r rune) []byte {
	start := len(out)
	out = utf8.AppendRune(out, r)
	decomposed := norm.NFKD.Properties(out[start:]).Decomposition()
	switch {
	case slices.ContainsFunc(decomposed, func(c byte) bool { return ' ' < c && c < utf8.RuneSelf }):
		out = out[:start]
		for _, c := range decomposed {
			if c < utf8.RuneSelf {
				out = append(out, c)
			}
		}
	case r == '\u00df' || r == '\u1e9e':
		out = append(out[:start], "ss"...)
	case unicode.IsSpace(r):
		out = append(out[:start], ' ')
	}
	return out
}

// expands reports whether the compatible form of a text is longer than a path may be.
func expands(text string) bool {
	if isASCII(text) {
		return len(text) > maxPath
	}
	size := 0
	for i := 0; i < len(text) && size <= maxPath; {
		properties := norm.NFKD.PropertiesString(text[i:])
		width := max(properties.Size(), 1)
		size += max(len(properties.Decomposition()), width)
		i += width
	}
	return size > maxPath
}

// wide are the letters that full case folding takes for others, which are no other case of theirs to most origins.
const wide = "\u00df\u1e9e\u0131\u0130"

// narrow is fold for origins that compare letter by letter: sharp s is not ss, and a dotless i is no i.
func narrow(decoded string) string {
	var b strings.Builder
	for {
		i := strings.IndexAny(decoded, wide)
		if i < 0 {
			return norm.NFKC.String(b.String() + fold(decoded))
		}
		r, width := utf8.DecodeRuneInString(decoded[i:])
		b.WriteString(fold(decoded[:i]))
		switch r {
		case '\u1e9e':
			r = '\u00df'
		case '\u0130':
			b.WriteByte('i')
			r = '\u0307'
		}
		b.WriteRune(r)
		decoded = decoded[i+width:]
	}
}

// NarrowPath returns an escaped path as origins compare it that do not fold letters to others, and whether it may differ
// from the matched form.
func NarrowPath(raw string) (_ string, differs bool) {
	if !strings.ContainsAny(raw, wide) && !strings.Contains(raw, "%") {
		return "", false
	}
	decoded, _ := decode(raw)
	return trimSlash(narrow(decoded)), true
}

// WithoutMarks returns a text without accents and other marks, as some databases compare names.
func WithoutMarks(text string) string {
	if isASCII(text) {
		return text
	}
	return norm.NFC.String(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(text)))
}

func foldASCII(s string) string {
	for i := 0; i < len(s); i++ {
		if 'A' <= s[i] && s[i] <= 'Z' {
			return strings.ToLower(s)
		}
	}
	return s
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// checkUnicode refuses text that is not UTF-8 and control characters.
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

// unseen are the characters that draw nothing, which some origins drop: Default_Ignorable_Code_Point, format
// characters, line and paragraph separators, private use, noncharacters and the replacement character.
var unseen = &unicode.RangeTable{
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

// dropUnseen removes what some origins do not see.
func dropUnseen(text string) string {
	if isASCII(text) {
		return text
	}
	return strings.Map(func(r rune) rune {
		if isUnseen(r) {
			return -1
		}
		return r
	}, text)
}

func isUnseen(r rune) bool { return r >= utf8.RuneSelf && unicode.Is(unseen, r) }

// slashes are look-alikes that Windows code pages turn into / and \.
const slashes = "\u2044\u2215\u2216\u29f5\u29f8"

// checkRune returns why some origin takes a character for another one, or does not see it.
func checkRune(r rune) string {
	if unicode.Is(unicode.Z, r) || isUnseen(r) {
		return invisible
	}
	// Full-width letters, ligatures, superscripts, the Kelvin sign, the Greek question mark ... become ASCII where an origin normalises.
	// Letters of living scripts that NFKC only takes apart (Thai sara am) stay; they are compared in that form.
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

// escapeNonASCII writes raw UTF-8 bytes as escapes: one spelling reaches the origin.
func escapeNonASCII(raw string) string {
	if isASCII(raw) {
		return raw
	}
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(raw); i++ {
		if c := raw[i]; c >= utf8.RuneSelf {
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
