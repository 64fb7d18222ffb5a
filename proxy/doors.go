package proxy

import (
	"strings"
	"unicode"
)

// Doors are HubSpot's own doors that a query opens. They are found outside the matcher and can only make a decision stricter.
type Doors uint8

// The doors.
const (
	PreviewDoor Doors = 1 << iota // hs_preview: an unpublished draft
	DebugDoor                     // hsDebug, hsCacheBuster, developerMode
)

const (
	shortestDoor = len("hsdebug")
	longestDoor  = len("hs_preview_key")
)

func doorOf(name []byte) Doors {
	switch string(name) {
	case "hs_preview", "hs_preview_key":
		return PreviewDoor
	case "hsdebug", "hscachebuster", "developermode":
		return DebugDoor
	}
	return 0
}

// ParseDoors looks for door parameters in a raw query. Names are read as leniently as any origin might: as they
// stand, decoded once and decoded for as long as there is an escape. A query that says more than HubSpot reads costs
// a visitor a login, never a leak.
func ParseDoors(rawQuery string) Doors {
	if len(rawQuery) < shortestDoor {
		return 0
	}
	doors := doorsIn(rawQuery)
	if strings.IndexByte(rawQuery, '%') < 0 && isASCII(rawQuery) {
		return doors
	}
	once := decodeLenient(rawQuery)
	folded := foldName(once)
	doors |= doorsIn(folded)
	if once != rawQuery && once != folded {
		doors |= doorsIn(once)
	}
	text := decodeFully(rawQuery)
	if text == once {
		text = folded
	} else {
		text = foldName(text)
		doors |= doorsIn(text)
	}
	if strings.IndexByte(text, '%') < 0 {
		return doors
	}
	// Folding can make a % of one in full width, so there may be more to decode.
	text = foldName(decodeFully(text))
	return doors | doorsIn(text) | doorsIn(decodeFully(text))
}

// doorsIn takes every text for a name that begins the query or follows a separator and ends at "=". "?" and "#"
// separate too: an origin may cut a second query or a fragment off.
func doorsIn(query string) Doors {
	var doors Doors
	for rest := query; rest != ""; {
		pair := rest
		if i := strings.IndexFunc(rest, separates); i >= 0 {
			pair, rest = rest[:i], rest[i+1:]
		} else {
			rest = ""
		}
		name, _, _ := strings.Cut(pair, "=")
		if len(name) < shortestDoor {
			continue
		}
		doors |= doorNamed(name)
		if i := strings.IndexFunc(name, func(c rune) bool { return c == '[' || unicode.IsControl(c) }); i >= 0 {
			doors |= doorNamed(name[:i]) // an array's index is no part of the name, and C ends a text at NUL
		}
	}
	return doors
}

func separates(c rune) bool { return c == '&' || c == ';' || c == '?' || c == '#' }

// doorNamed compares without case, without what stands around the letters (spaces, a byte order mark, brackets) and
// without control characters; PHP takes a dot, a space and a bracket inside a name for an underscore.
func doorNamed(name string) Doors {
	if len(name) < shortestDoor {
		return 0
	}
	name = strings.TrimFunc(name, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
	var plain [longestDoor]byte
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
	return doorOf(plain[:n])
}
