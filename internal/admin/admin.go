package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hubgate/hubgate/hubspot"
	"github.com/hubgate/hubgate/internal/buildinfo"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/logging"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/session"
)

// Server is the operators' listener: never reachable through the public one.
type Server struct {
	Audit    *slog.Logger
	Listen   string
	Token    func() string
	Config   func() any // what is served, masked
	Health   func() Health
	Registry *prometheus.Registry
	Sessions *session.Manager
	Contacts *hubspot.Contacts
	Pprof    bool
}

// Handler lists what the admin listener answers. Metrics and health are open; everything else wants the token.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", scrapes(s.Registry))
	mux.HandleFunc("GET /livez", s.livez)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.HandleFunc("GET /startupz", s.startupz)
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, buildinfo.Read()) })

	mux.Handle("GET /config", s.guarded(func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, s.Config()) }))
	mux.Handle("GET /api/sessions", s.guarded(s.listSessions))
	mux.Handle("DELETE /api/sessions", s.guarded(s.endSessionsOfUser))
	mux.Handle("DELETE /api/sessions/{id}", s.guarded(s.endSession))
	mux.Handle("GET /api/contacts", s.guarded(s.contactStatus))
	mux.Handle("GET /api/contacts/queue", s.guarded(s.queuedContacts))
	mux.Handle("GET /api/contacts/dead", s.guarded(s.deadContacts))
	mux.Handle("POST /api/contacts/replay", s.guarded(s.replayContacts))
	mux.Handle("POST /api/contacts/send", s.guarded(s.sendContact))
	if s.Pprof {
		mux.Handle("/debug/pprof/", s.guarded(pprof.Index))
		mux.Handle("/debug/pprof/cmdline", s.guarded(http.NotFound)) // argv is nobody's business (SX-03)
		mux.Handle("/debug/pprof/profile", s.guarded(pprof.Profile))
		mux.Handle("/debug/pprof/symbol", s.guarded(pprof.Symbol))
		mux.Handle("/debug/pprof/trace", s.guarded(pprof.Trace))
	}
	mux.Handle("/api/", s.guarded(s.unknown))
	mux.HandleFunc("/", s.unknown)
	return s.audited(timed(s.local(mux)))
}

func (s *Server) unknown(w http.ResponseWriter, r *http.Request) {
	refuse(w, r, http.StatusNotFound, "the admin listener has no "+logging.Capped(r.Method)+" "+logging.Capped(r.URL.Path))
}

// local refuses what a browser was made to send: on loopback another Host means DNS rebinding, and an Origin or Sec-Fetch-Site of
// elsewhere means a page of somebody else's (SX-05).
func (s *Server) local(next http.Handler) http.Handler {
	loopback := inbound.IsLoopback(inbound.HostOnly(s.Listen))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if loopback && !inbound.IsLoopback(inbound.HostOnly(r.Host)) {
			inbound.Of(r).Outcome.Set(ruleAdmin, "refuse", "host")
			refuse(w, r, http.StatusForbidden, "ask the admin listener as localhost or by its loopback address")
			return
		}
		if !sameOrigin(r) {
			inbound.Of(r).Outcome.Set(ruleAdmin, "refuse", "origin")
			refuse(w, r, http.StatusForbidden, "the admin listener does not answer pages of other origins")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// sameOrigin tells a command or the operator's own address bar from a page of another origin.
func sameOrigin(r *http.Request) bool {
	for _, site := range r.Header.Values("Sec-Fetch-Site") {
		if site != "none" && site != "same-origin" {
			return false
		}
	}
	for _, origin := range r.Header.Values("Origin") {
		if !strings.EqualFold(origin, "http://"+r.Host) {
			return false
		}
	}
	return true
}

// guarded wants the bearer token. Hashes of equal length are compared in constant time (SX-06).
func (s *Server) guarded(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inbound.Of(r).Outcome.Set(ruleAdmin, "refuse", "token")
		want := s.Token()
		if want == "" {
			refuse(w, r, http.StatusForbidden, "this needs server.admin_token, and the configuration has none")
			return
		}
		given := r.Header.Values("Authorization") // of two, something in front may have judged the other
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		have, need := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(want))
		if len(given) != 1 || !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(have[:], need[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="hubgate admin"`)
			refuse(w, r, http.StatusUnauthorized, "send server.admin_token as Authorization: Bearer TOKEN")
			return
		}
		inbound.Of(r).Outcome.Set(ruleAdmin, "allow", "token")
		w.Header().Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		next(w, r)
	})
}

func refuse(w http.ResponseWriter, r *http.Request, status int, detail string) {
	page.Problem{Status: status, Detail: detail, RequestID: inbound.Of(r).ID}.Write(w)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(v) // the client went away: nobody to tell
}
