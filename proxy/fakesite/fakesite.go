package fakesite

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Config configures the site. The zero value serves any public host.
type Config struct {
	// PublicHost is the connected domain. Requests for other domains get 404, as in HubSpot. "" = any.
	PublicHost string
	// HubID is the number of the account; 0 = 4711.
	HubID int
}

const defaultHubID = 4711

type site struct {
	cfg     Config
	pages   map[string]content
	files   map[string]file
	started time.Time
}

// New returns the site.
func New(cfg Config) http.Handler {
	if cfg.HubID == 0 {
		cfg.HubID = defaultHubID
	}
	return &site{cfg: cfg, pages: contents(), files: files(), started: time.Now()}
}

// ServeHTTP responds like HubSpot's origin.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Hs-Portal-Id", strconv.Itoa(s.cfg.HubID))
	host := r.Header.Get("X-HS-Public-Host")
	if host == "" || (s.cfg.PublicHost != "" && !strings.EqualFold(host, s.cfg.PublicHost)) {
		http.Error(w, "Domain not found: X-HS-Public-Host names no connected domain.", http.StatusNotFound)
		return
	}
	path := strings.ToLower(r.URL.Path)
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	switch {
	case s.builtIn(w, r, path):
	case s.file(w, r, path):
	case s.stream(w, r, path):
	default:
		s.page(w, r, path)
	}
}

// builtIn serves the addresses that HubSpot adds to every site.
func (s *site) builtIn(w http.ResponseWriter, r *http.Request, path string) bool {
	switch path {
	case "/robots.txt":
		writeText(w, "text/plain; charset=utf-8", "User-agent: *\nDisallow: /_hcms/preview/\n"+
			"Disallow: /hs/manage-preferences/\nDisallow: /*?*hs_preview=*\n"+
			"Sitemap: https://"+r.Header.Get("X-HS-Public-Host")+"/sitemap.xml\n")
	case "/sitemap.xml":
		writeText(w, "application/xml; charset=utf-8", s.sitemap(r.Header.Get("X-HS-Public-Host")))
	case "/blog/rss.xml":
		writeText(w, "text/xml; charset=utf-8", s.feed(r.Header.Get("X-HS-Public-Host")))
	case "/_hcms/search":
		s.search(w, r)
	case "/_hcms/diagnostics", "/_hcms/_worker/headers":
		writeJSON(w, map[string]any{"portalId": s.cfg.HubID, "publicHost": r.Header.Get("X-HS-Public-Host"),
			"host": r.Host, "headers": r.Header})
	default:
		return s.redirect(w, r, path)
	}
	return true
}

func writeText(w http.ResponseWriter, contentType, body string) {
	w.Header().Set("Content-Type", contentType)
	w.Write([]byte(body))
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	json.NewEncoder(w).Encode(v)
}

// setTrackingCookie sets the visitor's id like HubSpot's tracking script, readable by scripts.
func setTrackingCookie(w http.ResponseWriter, r *http.Request) {
	if _, err := r.Cookie("hubspotutk"); err == nil {
		return
	}
	id := make([]byte, 16)
	rand.Read(id)
	http.SetCookie(w, &http.Cookie{
		Name: "hubspotutk", Value: hex.EncodeToString(id), Path: "/", MaxAge: 180 * 24 * 3600,
		SameSite: http.SameSiteLaxMode,
	})
}
