package urlpath

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// fold returns a decoded path in the form in which paths are compared: NFKC and full case folding. The two Turkish
// letters whose other case is an ASCII i become i, because an origin that changes case takes them for it. The result
// must not be used to slice another string: folding changes lengths.
func fold(decoded string) string {
	if isASCII(decoded) {
		return foldASCII(decoded)
	}
	folded := cases.Fold().String(norm.NFKC.String(decoded))
	folded = strings.ReplaceAll(strings.ReplaceAll(folded, "i\u0307", "i"), "\u0131", "i")
	return norm.NFKC.String(folded)
}

// foldName turns a query into ASCII as far as some origin may: letters lose case, marks and width, and invisible
// characters are dropped. Characters that contain no ASCII stay, so that the result is never much longer than the
// query: NFKC may make 33 bytes of 3 (CWE-407).
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
		case isInvisible(r) || unicode.Is(unicode.Mn, r):
		default:
			out = appendFolded(out, r)
		}
	}
	return foldASCII(string(out))
}

// overlongASCII decodes an ASCII character in an overlong UTF-8 encoding, as careless decoders do (CVE-2000-0884).
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

// appendFolded appends the ASCII characters of a character's decomposition, or the character itself if there are none.
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

// expands reports whether the NFKD form of a text is longer than a path may be.
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

// wide are the letters that full case folding turns into others, although most origins tell them apart.
const wide = "\u00df\u1e9e\u0131\u0130"

// narrow is fold for origins that compare letter by letter: sharp s is not ss, and a dotless i is not i.
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

// Narrow returns the matched form of an escaped path for origins that compare letter by letter, and whether it may
// differ from Path.String.
func Narrow(raw string) (_ string, differs bool) {
	if !strings.ContainsAny(raw, wide) && !strings.Contains(raw, "%") {
		return "", false
	}
	decoded, _ := decode(raw)
	return trimSlash(narrow(decoded)), true
}

// WithoutMarks returns a text without accents and other marks, as some databases compare it.
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

// escapeNonASCII percent-encodes bytes that are not ASCII, so that only one spelling reaches the origin.
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
