package proxy

import (
	"net/url"
	"strings"
)

// Doors are HubSpot's own doors that a query opens. They are found outside the matcher and can only make a decision stricter.
type Doors uint8

// The doors.
const (
	PreviewDoor Doors = 1 << iota // hs_preview: an unpublished draft
	DebugDoor                     // hsDebug, hsCacheBuster, developerMode
)

var doorNames = map[string]Doors{
	"hs_preview": PreviewDoor, "hs_preview_key": PreviewDoor,
	"hsdebug": DebugDoor, "hscachebuster": DebugDoor, "developermode": DebugDoor,
}

// ParseDoors looks for door parameters in a raw query. Names are read as leniently as any origin might: either separator, any case,
// escapes, an array's brackets. A query that says more than HubSpot reads costs a visitor a login, never a leak.
func ParseDoors(rawQuery string) Doors {
	var doors Doors
	for rest := rawQuery; rest != ""; {
		var pair string
		if i := strings.IndexAny(rest, "&;"); i >= 0 {
			pair, rest = rest[:i], rest[i+1:]
		} else {
			pair, rest = rest, ""
		}
		name, _, _ := strings.Cut(pair, "=")
		if len(name) < len("hsdebug") || len(name) > 256 {
			continue
		}
		doors |= doorNames[parameterName(name)]
	}
	return doors
}

func parameterName(name string) string {
	if strings.ContainsAny(name, "%+") {
		if decoded, err := url.QueryUnescape(name); err == nil {
			name = decoded
		}
	}
	name, _, _ = strings.Cut(name, "[")
	return foldASCII(strings.TrimSpace(name))
}
