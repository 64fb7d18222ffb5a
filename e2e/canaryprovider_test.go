package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// wire records text that passed a place, so that a test can check that a secret did.
type wire struct {
	mu   sync.Mutex
	text strings.Builder
}

func (w *wire) add(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.WriteString(text + "\n")
}

func (w *wire) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// echo is a server whose errors repeat the whole request, with its secrets and personal data.
type echo struct {
	*httptest.Server
	wire
	mu     sync.Mutex
	faults map[string]int // path -> status
	answer http.Handler
}

func newEcho(t *testing.T, answer http.Handler) *echo {
	t.Helper()
	e := &echo{faults: map[string]int{}, answer: answer}
	e.Server = httptest.NewServer(e)
	t.Cleanup(e.Close)
	return e
}

func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	dump, _ := httputil.DumpRequest(r, true)
	text := string(dump)
	e.add(text)
	e.mu.Lock()
	status := e.faults[r.URL.Path]
	e.mu.Unlock()
	if status == 0 {
		e.answer.ServeHTTP(w, r)
		return
	}
	code := map[int]string{400: "invalid_grant", 401: "invalid_client"}[status]
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{ // both an OAuth and a HubSpot error
		"error": code, "error_description": text, "status": "error", "category": "VALIDATION_ERROR",
		"message": "Property values were not valid: " + text, "correlationId": "1",
		"errors": []map[string]any{{"message": text, "in": text, "code": "INVALID_EMAIL",
			"context": map[string]any{"email": []string{text}}}},
	})
}

// fail makes a path answer with an error status from now on; 0: no error.
func (e *echo) fail(path string, status int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults[path] = status
}

// canaryProvider is an OpenID provider that records every secret that it issues.
type canaryProvider struct {
	*echo
	t       *testing.T
	key     *ecdsa.PrivateKey
	email   string
	mu      sync.Mutex
	n       int
	nonces  map[string]string // code -> nonce
	secrets map[string]string // issued: name -> value
	refuse  string            // query with the error that the next authorization gets
}

func newCanaryProvider(t *testing.T, email string) *canaryProvider {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &canaryProvider{t: t, key: key, email: email, nonces: map[string]string{}, secrets: map[string]string{}}
	mux := http.NewServeMux()
	p.echo = newEcho(t, mux)
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token",
			"jwks_uri": p.URL + "/jwks", "userinfo_endpoint": p.URL + "/userinfo",
			"revocation_endpoint": p.URL + "/revoke", "end_session_endpoint": p.URL + "/logout",
			"id_token_signing_alg_values_supported": []string{"ES256"},
		})
	})
	mux.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) {
		public := jose.JSONWebKey{Key: &key.PublicKey, KeyID: "k", Algorithm: "ES256", Use: "sig"}
		json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}})
	})
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /userinfo", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"sub": "subject-4711", "email": email, "email_verified": true})
	})
	mux.HandleFunc("POST /revoke", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /logout", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Query().Get("post_logout_redirect_uri"), http.StatusFound)
	})
	return p
}

// issue returns a new secret and records it.
func (p *canaryProvider) issue(what string) string {
	p.n++
	value := strings.ToLower("canary" + what + rand.Text())
	p.secrets[fmt.Sprintf("%s %d", what, p.n)] = value
	return value
}

func (p *canaryProvider) authorize(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := r.URL.Query()
	back, answer := q.Get("redirect_uri"), url.Values{"state": {q.Get("state")}}
	p.secrets["state "+q.Get("state")[:6]] = q.Get("state")
	p.secrets["nonce "+q.Get("nonce")[:6]] = q.Get("nonce")
	p.add(p.refuse)
	if p.refuse != "" {
		http.Redirect(w, r, back+"?"+answer.Encode()+"&"+p.refuse, http.StatusFound)
		return
	}
	code := p.issue("code")
	p.nonces[code] = q.Get("nonce")
	answer.Set("code", code)
	http.Redirect(w, r, back+"?"+answer.Encode(), http.StatusFound)
}

func (p *canaryProvider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	nonce := p.nonces[r.PostFormValue("code")]
	if verifier := r.PostFormValue("code_verifier"); verifier != "" {
		p.secrets["verifier "+verifier[:6]] = verifier
	}
	now := time.Now()
	raw := sign(p.t, jose.ES256, jose.JSONWebKey{Key: p.key, KeyID: "k"}, map[string]any{
		"iss": p.URL, "sub": "subject-4711", "aud": "canary-client", "iat": now.Unix(),
		"exp": now.Add(time.Hour).Unix(), "auth_time": now.Unix(), "nonce": nonce,
		"email": p.email, "email_verified": true, "given_name": "Canary",
	})
	p.n++
	p.secrets[fmt.Sprintf("ID token %d", p.n)] = raw[strings.LastIndex(raw, ".")+1:]
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{
		"access_token": p.issue("access"), "refresh_token": p.issue("refresh"), "id_token": raw,
		"token_type": "Bearer", "expires_in": 2, // so short that every visit a moment later refreshes
	})
}

// issued returns the secrets so far.
func (p *canaryProvider) issued() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.secrets)
}

// refuseWith makes authorizations fail with the error in a query; "": no error.
func (p *canaryProvider) refuseWith(query string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = query
}
