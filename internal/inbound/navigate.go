package inbound

import (
	"net/http"
	"strings"
)

// Navigates reports whether the request is a top-level navigation, rather than one of a script, a frame, an image or a
// prefetch. Only a navigation may start a login. It relies on Sec-Fetch-*, which pages cannot set, or on Accept for old
// browsers.
func Navigates(r *http.Request) bool {
	if FetchesAhead(r) || strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		return false
	}
	mode, dest := r.Header.Get("Sec-Fetch-Mode"), r.Header.Get("Sec-Fetch-Dest")
	if mode != "" || dest != "" {
		return mode == "navigate" && dest == "document"
	}
	return strings.Contains(strings.ToLower(r.Header.Get("Accept")), "text/html") && r.Header.Get("X-Requested-With") == ""
}

// FetchesAhead reports whether a browser prefetches, prerenders or previews the page.
func FetchesAhead(r *http.Request) bool {
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Moz", "X-Purpose"} {
		v := strings.ToLower(r.Header.Get(name))
		if strings.Contains(v, "prefetch") || strings.Contains(v, "prerender") || strings.Contains(v, "preview") {
			return true
		}
	}
	return false
}
