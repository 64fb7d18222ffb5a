package fakesite

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"time"
)

//go:embed layout.html
var layoutText string

var layout = template.Must(template.New("layout").Parse(layoutText))

type view struct {
	content
	Path   string
	Draft  bool
	Term   string
	Hits   []searchResult
	Search bool
	Year   int
}

// page serves an HTML page. Like HubSpot it allows shared caches to store it; the gateway must prevent that for
// protected pages.
func (s *site) page(w http.ResponseWriter, r *http.Request, path string) {
	c, found := s.pages[path]
	status := http.StatusOK
	if !found {
		c, status = content{Title: "Page not found", Lead: "This road ends here.",
			Body: `<p><a href="/">Back to the start</a></p>`}, http.StatusNotFound
	}
	v := view{content: c, Path: path, Year: time.Now().Year(), Draft: r.URL.Query().Has("hs_preview")}
	if path == "/hs-search-results" {
		v.Search, v.Term, v.Hits = true, r.URL.Query().Get("term"), s.results(r)
	}
	var b bytes.Buffer
	if err := layout.Execute(&b, v); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	setTrackingCookie(w, r)
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "s-maxage=36000, max-age=5")
	h.Set("Cdn-Cache-Control", "max-age=36000")
	h.Set("Edge-Cache-Tag", "CT-1,P-4711,L-2")
	h.Set("Last-Modified", s.started.UTC().Format(http.TimeFormat))
	w.WriteHeader(status)
	w.Write(b.Bytes())
}
