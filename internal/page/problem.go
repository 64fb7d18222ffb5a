package page

import (
	"encoding/json"
	"net/http"
)

// Problem is an RFC 9457 problem detail, which programs receive instead of a page.
type Problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	RequestID string `json:"request_id"`
	Cause     string `json:"cause,omitempty"`
	LoginURL  string `json:"login_url,omitempty"`
}

// Write sends the problem. An empty Type becomes "about:blank", an empty Title the text of the status.
func (p Problem) Write(w http.ResponseWriter) {
	if p.Type == "" {
		p.Type = "about:blank"
	}
	if p.Title == "" {
		p.Title = http.StatusText(p.Status)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // fails only if the client has disconnected
}
