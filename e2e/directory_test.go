package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// directory is an OpenID provider with any number of people, about whom it claims what a test wants. It logs a browser
// in as the person whom the browser's cookie names, without a form.
type directory struct {
	*httptest.Server
	t      *testing.T
	key    *ecdsa.PrivateKey
	mu     sync.Mutex
	people map[string]map[string]any // claims by subject
	codes  map[string]map[string]any // claims by code
}

const personCookie = "person"

// people runs a directory without people.
func people(s *site) config {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	d := &directory{t: s.t, key: key, people: map[string]map[string]any{}, codes: map[string]map[string]any{}}
	mux := http.NewServeMux()
	d.Server = httptest.NewServer(mux)
	s.t.Cleanup(d.Close)
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{
			"issuer": d.URL, "authorization_endpoint": d.URL + "/authorize", "token_endpoint": d.URL + "/token",
			"jwks_uri": d.URL + "/jwks", "id_token_signing_alg_values_supported": []string{"ES256"},
		})
	})
	mux.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) {
		public := jose.JSONWebKey{Key: &key.PublicKey, KeyID: "k", Algorithm: "ES256", Use: "sig"}
		json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}})
	})
	mux.HandleFunc("GET /authorize", d.authorize)
	mux.HandleFunc("POST /token", d.token)
	s.directory = d
	return config{"auth.issuer": d.URL, "auth.client_id": "web", "auth.client_secret": "secret", "auth.login_rate": "none"}
}

func (d *directory) authorize(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	who, err := r.Cookie(personCookie)
	if err != nil || d.people[who.Value] == nil {
		http.Error(w, "there is no login", http.StatusForbidden)
		return
	}
	q, code := r.URL.Query(), rand.Text()
	claims := maps.Clone(d.people[who.Value])
	claims["sub"], claims["nonce"] = who.Value, q.Get("nonce")
	d.codes[code] = claims
	answer := url.Values{"state": {q.Get("state")}, "code": {code}}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+answer.Encode(), http.StatusFound)
}

func (d *directory) token(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	claims := d.codes[r.PostFormValue("code")]
	delete(d.codes, r.PostFormValue("code"))
	d.mu.Unlock()
	if claims == nil {
		w.WriteHeader(http.StatusBadRequest)
		json.NewEncoder(w).Encode(map[string]any{"error": "invalid_grant"})
		return
	}
	now := time.Now()
	maps.Copy(claims, map[string]any{"iss": d.URL, "aud": "web", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		"auth_time": now.Unix()})
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{
		"access_token": rand.Text(), "token_type": "Bearer", "expires_in": 3600,
		"id_token": sign(d.t, jose.ES256, jose.JSONWebKey{Key: d.key, KeyID: "k"}, claims),
	})
}

// addressOf returns the e-mail address of a person of the directory.
func addressOf(name string) string { return name + "@example.com" }

// person adds a person to the directory, or replaces one, and returns the person's browser. The claims are in addition
// to a verified address.
func (s *site) person(name string, claims map[string]any) *visitor {
	s.t.Helper()
	all := map[string]any{"email": addressOf(name), "email_verified": true}
	maps.Copy(all, claims)
	s.directory.mu.Lock()
	s.directory.people[name] = all
	s.directory.mu.Unlock()
	v := s.visitor()
	v.client.Jar.SetCookies(mustURL(s.t, s.directory.URL), []*http.Cookie{{Name: personCookie, Value: name}})
	return v
}

// enters logs a person in at a page that admits everyone who is logged in.
func (s *site) enters(v *visitor, path string) {
	s.t.Helper()
	if got := v.open(s.url + path); !s.shows(got, path) {
		s.t.Fatalf("the login: %d at %s\n%s", got.StatusCode, got.Request.URL, got.body)
	}
}

// cookieLine returns the header with a visitor's session, as a line of a request.
func (s *site) cookieLine(v *visitor) string {
	s.t.Helper()
	line := "Cookie: "
	for _, c := range v.client.Jar.Cookies(mustURL(s.t, s.url)) {
		line += c.Name + "=" + c.Value + "; "
	}
	return line + "\r\n"
}
