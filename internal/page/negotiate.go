package page

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// wantsHTML reports whether to send a page rather than its JSON twin: Accept names HTML and does not prefer JSON, or it
// has no preference and a browser navigates.
func wantsHTML(r *http.Request) bool {
	html, json := 0, 0
	for _, entry := range byPreference(r.Header.Values("Accept")) {
		switch {
		case entry.name == "text/html", entry.name == "application/xhtml+xml", entry.name == "text/*":
			html = max(html, entry.weight)
		case entry.name == "application/json",
			strings.HasPrefix(entry.name, "application/") && strings.HasSuffix(entry.name, "+json"):
			json = max(json, entry.weight)
		}
	}
	if html > 0 || json > 0 {
		return html >= json
	}
	return navigates(r)
}

// navigates reports whether a browser displays the response, rather than a script reading it.
func navigates(r *http.Request) bool {
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	return strings.HasPrefix(r.UserAgent(), "Mozilla/") && r.Header.Get("X-Requested-With") == "" && acceptsAnything(r)
}

func acceptsAnything(r *http.Request) bool {
	entries := byPreference(r.Header.Values("Accept"))
	return len(entries) == 0 ||
		slices.ContainsFunc(entries, func(e weightedName) bool { return e.name == "*/*" && e.weight > 0 })
}

// language returns the tag in known that Accept-Language prefers, or "" if it accepts none. en-GB matches en.
func language(r *http.Request, known []string) string {
	for _, entry := range byPreference(r.Header.Values("Accept-Language")) {
		if entry.weight == 0 {
			continue
		}
		for tag := entry.name; tag != ""; tag = parent(tag) {
			if slices.Contains(known, tag) {
				return tag
			}
		}
	}
	return ""
}

// parent returns a language tag without its last subtag: de-at -> de (RFC 4647, section 3.4).
func parent(tag string) string {
	i := strings.LastIndexByte(tag, '-')
	return tag[:max(i, 0)]
}

// weightedName is one entry of an Accept header. weight is its q value in thousandths.
type weightedName struct {
	name   string
	weight int
}

// maxEntries limits the entries that are parsed, and so the work for a hostile header. Browsers send fewer than ten.
const maxEntries = 64

// byPreference parses an Accept or Accept-Language header. It returns the most preferred entries first, equal ones in
// their order (RFC 9110, section 12.4.2), and skips malformed ones.
func byPreference(values []string) []weightedName {
	var entries []weightedName
	for text := range strings.SplitSeq(strings.Join(values, ","), ",") {
		if len(entries) == maxEntries {
			break
		}
		name, parameters, _ := strings.Cut(text, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if weight, ok := quality(parameters); ok && name != "" {
			entries = append(entries, weightedName{name, weight})
		}
	}
	slices.SortStableFunc(entries, func(a, b weightedName) int { return cmp.Compare(b.weight, a.weight) })
	return entries
}

func quality(parameters string) (thousandths int, ok bool) {
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return 0, false
		}
		return int(q * 1000), true
	}
	return 1000, true
}
