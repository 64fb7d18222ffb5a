package urlpath

import (
	"strings"
	"unicode"
)

// PreviewParams are HubSpot's own doors that a query opens. They are found outside the matcher and can only make a decision stricter.
type PreviewParams uint8

// The doors.
const (
	Preview PreviewParams = 1 << iota // hs_preview: an unpublished draft
	Debug                             // hsDebug, hsCacheBuster, developerMode
)

const (
	shortestParam = len("hsdebug")
	longestParam  = len("hs_preview_key")
)

func paramOf(name []byte) PreviewParams {
	switch string(name) {
	case "hs_preview", "hs_preview_key":
		return Preview
	case "hsdebug", "hscachebuster", "developermode":
		return Debug
	}
	return 0
}

// ParsePreviewParams looks for door parameters in a raw query. Names are read as leniently as any origin might: as they
// stand, decoded once and decoded for as long as there is an escape. A query that says more than HubSpot reads costs
// a visitor a login, never a leak.
func ParsePreviewParams(rawQuery string) PreviewParams {
	if len(rawQuery) < shortestParam {
		return 0
	}
	params := paramsIn(rawQuery)
	if strings.IndexByte(rawQuery, '%') < 0 && isASCII(rawQuery) {
		return params
	}
	once := decodeLenient(rawQuery)
	folded := foldName(once)
	params |= paramsIn(folded)
	if once != rawQuery && once != folded {
		params |= paramsIn(once)
	}
	text := decodeFully(rawQuery)
	if text == once {
		text = folded
	} else {
		text = foldName(text)
		params |= paramsIn(text)
	}
	if strings.IndexByte(text, '%') < 0 {
		return params
	}
	// Folding can make a % of one in full width, so there may be more to decode.
	text = foldName(decodeFully(text))
	return params | paramsIn(text) | paramsIn(decodeFully(text))
}

// paramsIn takes every text for a name that begins the query or follows a separator and ends at "=". "?" and "#"
// separate too: an origin may cut a second query or a fragment off.
func paramsIn(query string) PreviewParams {
	var params PreviewParams
	for rest := query; rest != ""; {
		pair := rest
		if i := strings.IndexFunc(rest, isSeparator); i >= 0 {
			pair, rest = rest[:i], rest[i+1:]
		} else {
			rest = ""
		}
		name, _, _ := strings.Cut(pair, "=")
		if len(name) < shortestParam {
			continue
		}
		params |= paramNamed(name)
		if i := strings.IndexFunc(name, func(c rune) bool { return c == '[' || unicode.IsControl(c) }); i >= 0 {
			params |= paramNamed(name[:i]) // an array's index is no part of the name, and C ends a text at NUL
		}
	}
	return params
}

func isSeparator(c rune) bool { return c == '&' || c == ';' || c == '?' || c == '#' }

// paramNamed compares without case, without what stands around the letters (spaces, a byte order mark, brackets) and
// without control characters; PHP takes a dot, a space and a bracket inside a name for an underscore.
func paramNamed(name string) PreviewParams {
	if len(name) < shortestParam {
		return 0
	}
	name = strings.TrimFunc(name, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
	var plain [longestParam]byte
	n := 0
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c < ' ' || c == 0x7f:
			continue
		case c == '.' || c == ' ' || c == '+' || c == '-' || c == '[':
			c = '_'
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		if n == len(plain) {
			return 0
		}
		plain[n] = c
		n++
	}
	return paramOf(plain[:n])
}
