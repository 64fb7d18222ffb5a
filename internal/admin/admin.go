package admin

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/pprof"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hubgate/hubgate/hubspot"
	"github.com/hubgate/hubgate/hubspot/access"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/internal/buildinfo"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/logging"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/session"
)

// Server serves operators on a separate listener, which visitors cannot reach through the public one.
type Server struct {
	Audit    *slog.Logger
	Listen   string        // the address of the listener, which decides whether other hosts may send requests
	Token    func() string // "" = no token is configured
	Config   func() any    // the body of /config
	Health   func() Health
	Registry *prometheus.Registry
	Sessions *session.Manager
	Contacts *hubspot.Contacts
	Provider func() mapping.Provider
	Lists    func() map[string]access.ListID // the lists of HubSpot by the names that rules use; nil = none
	Pprof    bool
}

// Handler returns the endpoints of the admin listener. Metrics and health need no token, everything else does.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", scrapeHandler(s.Registry))
	s.addProbes(mux)
	mux.HandleFunc("GET /version", s.version)

	mux.Handle("GET /config", s.withToken(s.config))
	mux.Handle("GET /api/sessions", s.withToken(s.listSessions))
	mux.Handle("DELETE /api/sessions", s.withToken(s.endSessionsOfUser))
	mux.Handle("DELETE /api/sessions/{id}", s.withToken(s.endSession))
	mux.Handle("GET /api/contacts", s.withToken(s.contactStatus))
	mux.Handle("GET /api/contacts/queue", s.withToken(s.queuedContacts))
	mux.Handle("GET /api/contacts/dead", s.withToken(s.deadContacts))
	mux.Handle("POST /api/contacts/replay", s.withToken(s.replayContacts))
	mux.Handle("POST /api/contacts/drop", s.withToken(s.dropContacts))
	mux.Handle("GET /api/contacts/person", s.withToken(s.showPerson))
	mux.Handle("POST /api/contacts/forget", s.withToken(s.forgetPerson))
	mux.Handle("POST /api/contacts/send", s.withToken(s.sendContact))
	mux.Handle("POST /api/contacts/import", s.withToken(s.importContacts))
	if s.Pprof {
		mux.Handle("/debug/pprof/", s.withToken(pprof.Index))
		mux.Handle("/debug/pprof/cmdline", s.withToken(http.NotFound)) // arguments may contain secrets (CWE-214)
		mux.Handle("/debug/pprof/profile", s.withToken(pprof.Profile))
		mux.Handle("/debug/pprof/symbol", s.withToken(pprof.Symbol))
		mux.Handle("/debug/pprof/trace", s.withToken(pprof.Trace))
	}
	mux.Handle("/api/", s.withToken(s.notFound))
	mux.HandleFunc("/", s.notFound)
	return s.audited(withDeadline(s.sameOriginOnly(mux)))
}

func (s *Server) version(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, buildinfo.Read())
}

func (s *Server) config(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.Config())
}

func (s *Server) notFound(w http.ResponseWriter, r *http.Request) {
	refuse(w, r, http.StatusNotFound,
		"the admin listener has no "+logging.Capped(r.Method)+" "+logging.Capped(r.URL.Path))
}

// refuse writes a problem (RFC 9457).
func refuse(w http.ResponseWriter, r *http.Request, status int, detail string) {
	page.Problem{Status: status, Detail: detail, RequestID: inbound.Of(r).ID}.Write(w)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false) // "<secret>" is to be read
	_ = encoder.Encode(v)        // fails only if the client is gone
}
