package crm

import (
	"html"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// fragments are the recognizable parts of values: the words of up to three letters or digits, all parts of four of the
// longer ones, and each letter that is not Latin. Spelling does not matter: case, accents, escapes.
type fragments map[fragment]bool

// fragment is up to four ASCII characters, or one other character in UTF-8.
type fragment [4]byte

// add adds the fragments of a text.
func (f fragments) add(text string) {
	eachFragment(text, func(part fragment) bool {
		f[part] = true
		return true
	})
}

// anyOf reports whether a text contains one of the fragments.
func (f fragments) anyOf(text string) bool {
	found := false
	eachFragment(text, func(part fragment) bool {
		found = f[part]
		return !found
	})
	return found
}

// allOf reports whether a text contains nothing but the fragments.
func (f fragments) allOf(text string) bool {
	other := false
	eachFragment(text, func(part fragment) bool {
		other = !f[part]
		return !other
	})
	return !other
}

// eachFragment passes the fragments of a text on until yield returns false.
func eachFragment(text string, yield func(fragment) bool) {
	var word wordReader
	for _, r := range foldText(text) {
		if part, found := word.next(r); found && !yield(part) {
			return
		}
	}
	if part, found := word.end(); found {
		yield(part)
	}
}

// wordReader finds the fragments of a text, one character at a time.
type wordReader struct {
	last      fragment // the last characters of the word
	length    int      // of the word
	separated bool     // one separator after a digit: it may be that of thousands, or of a date
}

// next returns the fragment that a character completes.
func (w *wordReader) next(r rune) (part fragment, found bool) {
	isWord := unicode.IsLetter(r) || unicode.IsDigit(r)
	switch {
	case isWord && r >= utf8.RuneSelf:
		utf8.EncodeRune(part[:], r)
		return part, true
	case !isWord && !w.separated && w.length > 0 && unicode.IsDigit(rune(w.last[min(w.length, len(w.last))-1])):
		w.separated = true
		return part, false
	case !isWord:
		return w.end()
	case w.separated && !unicode.IsDigit(r):
		part, found = w.end()
	}
	w.separated = false
	if w.length >= len(w.last) {
		copy(w.last[:], w.last[1:])
	}
	w.last[min(w.length, len(w.last)-1)] = byte(r)
	w.length++
	if w.length >= len(w.last) {
		return w.last, true
	}
	return part, found
}

// end returns the word that ends, if it is shorter than a part of a longer one.
func (w *wordReader) end() (part fragment, found bool) {
	part, found = w.last, w.length > 0 && w.length < len(w.last)
	*w = wordReader{}
	return part, found
}

// foldText returns a text without escapes, accents and characters that are not shown, in lower case.
func foldText(s string) string {
	s = norm.NFKD.String(strings.ReplaceAll(strings.ToLower(unescape(s)), "ß", "ss"))
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Mn, unicode.Cf) {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}

// maxEscapes is how often a text may be escaped: a proxy may escape what HubSpot has escaped.
const maxEscapes = 4

var escapeForm = regexp.MustCompile(`\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\[nrtbf"\\/']|%[0-9a-fA-F]{2}`)

// unescape decodes the escapes of JSON, JavaScript, HTML and URLs.
func unescape(s string) string {
	for range maxEscapes {
		plain := html.UnescapeString(escapeForm.ReplaceAllStringFunc(s, unescapeOne))
		if plain == s {
			break
		}
		s = plain
	}
	return s
}

func unescapeOne(escape string) string {
	switch {
	case escape[0] == '%':
		n, _ := strconv.ParseUint(escape[1:], 16, 8)
		return string([]byte{byte(n)})
	case len(escape) > 2:
		n, _ := strconv.ParseUint(escape[2:], 16, 16)
		return string(rune(n))
	case strings.ContainsAny(escape[1:], `"\/'`):
		return escape[1:]
	}
	return " "
}
