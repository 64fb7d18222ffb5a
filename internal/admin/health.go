package admin

import (
	"net/http"
	"strings"
	"time"
)

// Check is the state of one part as it was last seen.
type Check struct {
	OK     bool      `json:"ok"`
	Detail string    `json:"detail"`
	Since  time.Time `json:"since"`
}

// NewCheck returns a Check of what the Health method of a part returns.
func NewCheck(ok bool, detail string, since time.Time) Check { return Check{ok, detail, since} }

// Health is the body of /readyz. A failed check means degraded, not unready: public pages are still served, and a load
// balancer that takes every replica out of service would end those, too.
type Health struct {
	Status string           `json:"status"` // ok | degraded | draining
	Checks map[string]Check `json:"checks"`
}

// NewHealth returns the Health that follows from the checks.
func NewHealth(checks map[string]Check, draining bool) Health {
	h := Health{Status: "ok", Checks: checks}
	for _, c := range checks {
		if !c.OK {
			h.Status = "degraded"
		}
	}
	if draining {
		h.Status = "draining"
	}
	return h
}

// addProbes adds the endpoints of health checks, with and without a slash at the end, and for OPTIONS, which HAProxy
// sends unless it is told otherwise: to / if it is given no path.
func (s *Server) addProbes(mux *http.ServeMux) {
	probes := map[string]http.HandlerFunc{
		"/livez": s.livez, "/readyz": s.readyz, "/healthz": s.readyz, "/startupz": s.startupz,
	}
	for path, handler := range probes {
		mux.HandleFunc("GET "+path, handler)
		mux.HandleFunc("GET "+path+"/{$}", handler)
		mux.HandleFunc("OPTIONS "+path, withAllow(handler))
		mux.HandleFunc("OPTIONS "+path+"/{$}", withAllow(handler))
	}
	mux.HandleFunc("OPTIONS /{$}", withAllow(s.readyz))
}

func withAllow(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", "GET, HEAD, OPTIONS")
		next(w, r)
	}
}

// isProbe reports whether a path is that of a health check.
func isProbe(path string) bool {
	switch strings.TrimSuffix(path, "/") {
	case "", "/livez", "/readyz", "/healthz", "/startupz":
		return true
	}
	return false
}

// livez responds with 200. It checks no dependency, because a restart of hubgate would not repair one.
func (s *Server) livez(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// startupz responds with 200: the admin listener opens after the configuration was loaded and with all other listeners.
func (s *Server) startupz(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readyz also serves /healthz. It responds with 503 while the process drains; with ?strict=1 also while a check fails.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	h := s.Health()
	status := http.StatusOK
	if h.Status == "draining" || (h.Status == "degraded" && r.URL.Query().Get("strict") == "1") {
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, status, h)
}
