package urlpath

import (
	"strings"
	"unicode"
)

// PreviewParams is the set of HubSpot's preview and debug parameters in a query. They can only make a decision
// stricter.
type PreviewParams uint8

// The parameters.
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

// ParsePreviewParams finds the parameters in a raw query. It reads names as leniently as any origin might: as they are,
// decoded once, and decoded as long as there is an escape. A parameter that HubSpot does not see costs the visitor a
// login; one that is missed here would leak a draft.
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
	// Folding turns a full-width % into %, so there may be more to decode.
	text = foldName(decodeFully(text))
	return params | paramsIn(text) | paramsIn(decodeFully(text))
}

// paramsIn finds parameters in a decoded query. A name begins the query or follows a separator, and ends at "=". "?"
// and "#" are separators too: an origin may cut off a second query or a fragment.
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
			params |= paramNamed(name[:i]) // an index is not part of a name, and C strings end at NUL
		}
	}
	return params
}

func isSeparator(c rune) bool { return c == '&' || c == ';' || c == '?' || c == '#' }

// paramNamed compares a name ignoring case, control characters and what surrounds the letters (spaces, a byte order
// mark, brackets). PHP converts a dot, a space and a bracket inside a name to an underscore.
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
