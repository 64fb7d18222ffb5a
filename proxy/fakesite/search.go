package fakesite

import (
	"fmt"
	"net/http"
	"sort"
	"strings"
)

// paths returns the paths of all pages in alphabetical order.
func (s *site) paths() []string {
	paths := make([]string, 0, len(s.pages))
	for path := range s.pages {
		paths = append(paths, path)
	}
	sort.Strings(paths)
	return paths
}

// sitemap lists every page, including protected ones: HubSpot does not know the gateway's rules.
func (s *site) sitemap(host string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` +
		`<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">` + "\n")
	for _, path := range s.paths() {
		fmt.Fprintf(&b, "<url><loc>https://%s%s</loc></url>\n", host, path)
	}
	return b.String() + "</urlset>\n"
}

// feed contains whole posts, like HubSpot's by default.
func (s *site) feed(host string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel>` +
		`<title>Northwind Bicycles: Notes from the road</title>` + "\n")
	for _, path := range s.paths() {
		if c := s.pages[path]; strings.HasPrefix(path, "/blog/") {
			fmt.Fprintf(&b,
				"<item><title>%s</title><link>https://%s%s</link><description><![CDATA[%s]]></description></item>\n",
				c.Title, host, path, c.Body)
		}
	}
	return b.String() + "</channel></rss>\n"
}

type searchResult struct {
	Title       string `json:"title"`
	URL         string `json:"url"`
	Description string `json:"description"`
}

func (s *site) results(r *http.Request) []searchResult {
	hits := []searchResult{}
	term := strings.ToLower(r.URL.Query().Get("term"))
	if term == "" {
		return hits
	}
	for _, path := range s.paths() {
		c := s.pages[path]
		if strings.Contains(strings.ToLower(c.Title+" "+c.Lead+" "+string(c.Body)), term) {
			hits = append(hits, searchResult{c.Title, path, c.Lead})
		}
	}
	return hits
}

// search serves the API of the site search. Its results include extracts of protected pages, which is why
// proxy.hubspot.search exists.
func (s *site) search(w http.ResponseWriter, r *http.Request) {
	hits := s.results(r)
	writeJSON(w, map[string]any{"total": len(hits), "offset": 0, "limit": 10, "searchTerm": r.URL.Query().Get("term"),
		"results": hits})
}
