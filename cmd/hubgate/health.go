package main

import (
	"net/http"
	"time"
)

// check is how one part was last seen.
type check struct {
	OK     bool      `json:"ok"`
	Detail string    `json:"detail"`
	Since  time.Time `json:"since"`
}

// health is the body of /readyz. Redis or the provider being down is degraded, not unready: public pages are still served, and a
// balancer that takes every replica out would end those too.
type health struct {
	Status string           `json:"status"` // ok | degraded | draining
	Checks map[string]check `json:"checks"`
}

func newCheck(ok bool, detail string, since time.Time) check { return check{ok, detail, since} }

// summarise fills in the status.
func (h health) summarise(draining bool) health {
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
func (a *admin) livez(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// startupz is answered as soon as the configuration is loaded and the listeners are open, which is before this one is.
func (a *admin) startupz(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readyz is 503 while draining; with ?strict=1 also while anything is wrong.
func (a *admin) readyz(w http.ResponseWriter, r *http.Request) {
	h := a.health()
	status := http.StatusOK
	if h.Status == "draining" || (h.Status == "degraded" && r.URL.Query().Get("strict") == "1") {
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, status, h)
}
