package proxy

import (
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

// checkUnicode refuses text that is not UTF-8, control characters and what Windows code pages turn into slashes.
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
		case strings.ContainsRune(slashes, r):
			return compatibility
		}
	}
	return ""
}

// unseen are assigned letters and marks that draw nothing: fillers, joiners, variation selectors.
var unseen = &unicode.RangeTable{
	R16: []unicode.Range16{{0x034f, 0x034f, 1}, {0x115f, 0x1160, 1}, {0x17b4, 0x17b5, 1}, {0x180b, 0x180f, 1}, {0x3164, 0x3164, 1},
		{0xfe00, 0xfe0f, 1}, {0xffa0, 0xffa0, 1}, {0xfff0, 0xfff8, 1}, {0xfffe, 0xffff, 1}},
	R32: []unicode.Range32{{0xe0000, 0xe0fff, 1}},
}

// dropUnseen removes what some origins do not see.
func dropUnseen(text string) string {
	if isASCII(text) {
		return text
	}
	return strings.Map(func(r rune) rune {
		if r >= utf8.RuneSelf && (isUnseen(r) || unicode.In(r, unicode.Zl, unicode.Zp)) {
			return -1
		}
		return r
	}, text)
}

func isUnseen(r rune) bool {
	return r == utf8.RuneError || unicode.In(r, unicode.Cf, unicode.Co, unseen)
}

// slashes are look-alikes that Windows code pages turn into / and \.
const slashes = "\u2044\u2215\u2216\u29f5\u29f8"

// checkRune returns why some origin takes a character for another one, or does not see it.
func checkRune(r rune) string {
	if unicode.Is(unicode.Z, r) || isUnseen(r) {
		return invisible
	}
	// Full-width letters, ligatures, superscripts, the Kelvin sign, the Greek question mark ... become ASCII where an origin normalises.
	// Letters of living scripts that NFKC only takes apart (Thai sara am) stay; they are compared in that form.
	if strings.IndexFunc(norm.NFKC.String(string(r)), func(r rune) bool { return r < utf8.RuneSelf }) >= 0 {
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
