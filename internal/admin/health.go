package admin

import (
	"net/http"
	"time"
)

// Check is how one part was last seen.
type Check struct {
	OK     bool      `json:"ok"`
	Detail string    `json:"detail"`
	Since  time.Time `json:"since"`
}

// Health is the body of /readyz. Redis or the provider being down is degraded, not unready: public pages are still served, and a
// balancer that takes every replica out would end those too.
type Health struct {
	Status string           `json:"status"` // ok | degraded | draining
	Checks map[string]Check `json:"checks"`
}

func NewCheck(ok bool, detail string, since time.Time) Check { return Check{ok, detail, since} }

// Summarise fills in the status.
func (h Health) Summarise(draining bool) Health {
	h.Status = "ok"
	for _, c := range h.Checks {
		if !c.OK {
			h.Status = "degraded"
		}
	}
	if draining {
		h.Status = "draining"
	}
	return h
}

// livez tells that the process can answer, and nothing else: a restart mends none of its dependencies.
func (a *Server) livez(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// startupz is answered as soon as the configuration is loaded and the listeners are open, which is before this one is.
func (a *Server) startupz(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readyz is 503 while draining; with ?strict=1 also while anything is wrong.
func (a *Server) readyz(w http.ResponseWriter, r *http.Request) {
	h := a.Health()
	status := http.StatusOK
	if h.Status == "draining" || (h.Status == "degraded" && r.URL.Query().Get("strict") == "1") {
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, status, h)
}
