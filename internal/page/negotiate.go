package page

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// wantsHTML tells whether the request is better answered by a page than by its JSON twin: Accept names HTML and does not prefer
// JSON, or it has no preference and a browser navigates.
func wantsHTML(r *http.Request) bool {
	html, json := 0, 0
	for _, entry := range weighed(r.Header.Values("Accept")) {
		switch {
		case entry.name == "text/html", entry.name == "application/xhtml+xml", entry.name == "text/*":
			html = max(html, entry.weight)
		case entry.name == "application/json", strings.HasPrefix(entry.name, "application/") && strings.HasSuffix(entry.name, "+json"):
			json = max(json, entry.weight)
		}
	}
	if html > 0 || json > 0 {
		return html >= json
	}
	return navigates(r)
}

// navigates tells whether a browser shows the answer itself, rather than hand it to a script.
func navigates(r *http.Request) bool {
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	return strings.HasPrefix(r.UserAgent(), "Mozilla/") && r.Header.Get("X-Requested-With") == "" && acceptsAnything(r)
}

func acceptsAnything(r *http.Request) bool {
	entries := weighed(r.Header.Values("Accept"))
	return len(entries) == 0 || slices.ContainsFunc(entries, func(e weightedName) bool { return e.name == "*/*" && e.weight > 0 })
}

// language picks the tag among known that Accept-Language likes best, or "" when it likes none. en-GB finds en.
func language(r *http.Request, known []string) string {
	for _, entry := range weighed(r.Header.Values("Accept-Language")) {
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

// parent is a language tag without its last subtag: de-at -> de (RFC 4647, section 3.4).
func parent(tag string) string {
	i := strings.LastIndexByte(tag, '-')
	return tag[:max(i, 0)]
}

// weightedName is one entry of an Accept header; weight is its q in thousandths.
type weightedName struct {
	name   string
	weight int
}

// maxEntries bounds the work that a header can ask for; browsers send fewer than ten.
const maxEntries = 64

// weighed reads an Accept or Accept-Language header, best entries first, equal ones in their order (RFC 9110, section 12.4.2).
// An entry that cannot be read is left out.
func weighed(values []string) []weightedName {
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
