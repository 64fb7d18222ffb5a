package fakesite

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
)

type file struct {
	contentType string
	body        []byte
}

// files returns the files of the file manager by their name below /hubfs.
func files() map[string]file {
	return map[string]file{
		"hs-reverse-proxy-validation-test": {"text/plain; charset=utf-8", []byte("ok\n")},
		"logo.svg":                         {"image/svg+xml", []byte(logo)},
		"members/handbook.txt": {"text/plain; charset=utf-8", []byte("Northwind members' handbook\n\n" +
			"Tyres: 2.4 bar in front, 2.6 behind.\nWorkshop: Thursdays, bring cake.\n")},
		"partners/price list 2026.txt": {"text/plain; charset=utf-8", []byte("Partner prices 2026\n\n" +
			"Fjord touring  1,190\nTundra gravel  1,540\nHarbour city     720\n")},
		"bilder/fahrräder.txt": {"text/plain; charset=utf-8", []byte("Ein Bild von Fahrrädern, in Worten.\n")},
	}
}

// file serves a file at every address that HubSpot has for it, with ranges and validators.
func (s *site) file(w http.ResponseWriter, r *http.Request, path string) bool {
	name, ok := fileName(path)
	if !ok {
		return false
	}
	f, ok := s.files[name]
	if !ok {
		return false
	}
	sum := sha256.Sum256(f.body)
	w.Header().Set("Content-Type", f.contentType)
	w.Header().Set("Etag", `"`+hex.EncodeToString(sum[:8])+`"`)
	w.Header().Set("Cache-Control", "public, max-age=86400, s-maxage=604800")
	w.Header().Set("Edge-Cache-Tag", "F-1,P-4711")
	http.ServeContent(w, r, "", s.started, bytes.NewReader(f.body))
	return true
}

func fileName(path string) (string, bool) {
	path = strings.TrimPrefix(path, "/hs-fs")
	for _, prefix := range []string{"/hubfs/", "/hub/"} {
		rest, ok := strings.CutPrefix(path, prefix)
		if !ok {
			continue
		}
		if id, name, found := strings.Cut(rest, "/"); found && isNumber(id) {
			rest = strings.TrimPrefix(name, "hubfs/")
		}
		return rest, true
	}
	return "", false
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

const logo = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 40" fill="none" ` +
	`stroke-width="3" stroke-linecap="round" stroke-linejoin="round"><style>svg{stroke:#0f766e}` +
	`@media (prefers-color-scheme:dark){svg{stroke:#5eead4}}</style>` +
	`<circle cx="13" cy="27" r="10"/><circle cx="51" cy="27" r="10"/>` +
	`<path d="M13 27l10-16h18l10 16M23 11l9 16 9-16M19 7h8M41 11l-2-6h7"/></svg>
`
