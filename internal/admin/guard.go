package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/hubgate/hubgate/internal/inbound"
)

// WrongHost is the detail of the problem with which a listener on loopback refuses requests for another host. The
// commands recognize an admin listener by it.
const WrongHost = "use localhost or a loopback address as the host of the admin listener"

// sameOriginOnly refuses requests that a website makes an operator's browser send: on loopback another Host means DNS
// rebinding, and an Origin or Sec-Fetch-Site of another site means cross-site request forgery (CWE-352). A health check
// in HTTP/1.0 may have no Host, which browsers always send.
func (s *Server) sameOriginOnly(next http.Handler) http.Handler {
	loopback := inbound.IsLoopback(inbound.HostOnly(s.Listen))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		hostless := r.Host == "" && isProbe(r.URL.Path)
		if loopback && !hostless && !inbound.IsLoopback(inbound.HostOnly(r.Host)) {
			inbound.Of(r).Outcome.Set(ruleAdmin, "refuse", "host")
			refuse(w, r, http.StatusForbidden, WrongHost)
			return
		}
		if !isSameOrigin(r) {
			inbound.Of(r).Outcome.Set(ruleAdmin, "refuse", "origin")
			refuse(w, r, http.StatusForbidden, "the admin listener refuses requests of other origins")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isSameOrigin reports whether a request comes from a command, the address bar or a page of the admin listener.
func isSameOrigin(r *http.Request) bool {
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

// withToken requires the bearer token. It compares hashes in constant time, so that the duration reveals nothing about
// the token or its length (CWE-208).
func (s *Server) withToken(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inbound.Of(r).Outcome.Set(ruleAdmin, "refuse", "token")
		want := s.Token()
		if want == "" {
			refuse(w, r, http.StatusForbidden, "this needs server.admin_token, which is not configured")
			return
		}
		given := r.Header.Values("Authorization") // of two, a proxy in front may have checked the other one
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		have, need := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(want))
		equal := subtle.ConstantTimeCompare(have[:], need[:]) == 1
		if len(given) != 1 || !strings.EqualFold(scheme, "Bearer") || !equal {
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
