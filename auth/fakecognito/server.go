// Package fakecognito imitates an AWS Cognito user pool, bad habits included: for the demo and for tests. It keeps everything in
// memory, imports nothing of hubgate, and must never face the internet.
package fakecognito

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Config describes the pool.
type Config struct {
	URL     string // where this server is reached: scheme, host and port
	PoolID  string // region_id
	Clients []Client
	Users   []User        // nil: alice and bob
	Access  time.Duration // lifetime of ID and access tokens; 0: an hour
	// Rotate gives a new refresh token at each refresh; the old one works RotationGrace longer.
	Rotate        bool
	RotationGrace time.Duration
	Now           func() time.Time
	Faults        Faults
}

// Client is an app client. URLs are compared letter by letter.
type Client struct {
	ID, Secret   string
	CallbackURLs []string
	LogoutURLs   []string
}

// User is an account. Attributes become claims; custom ones are always text.
type User struct {
	Username, Password string
	Attributes         map[string]string
	Groups             []string
}

// Faults are what a test can make go wrong. Nil functions change nothing.
type Faults struct {
	Token  func(form url.Values) (status int, code string) // the token endpoint answers an error; 0 = none
	Claims func(idToken map[string]any)                    // the ID token's claims before they are signed
	Down   func(path string) bool                          // 503 with HTML
}

// DefaultUsers are the demo's: alice is a member and a partner, bob is in no group. The password of both is demo.
func DefaultUsers() []User {
	person := func(first, last, email string) map[string]string {
		return map[string]string{"email": email, "email_verified": "true", "given_name": first, "family_name": last, "name": first + " " + last}
	}
	return []User{
		{Username: "alice@example.com", Password: "demo", Attributes: person("Alice", "Archer", "alice@example.com"), Groups: []string{"members", "partner"}},
		{Username: "bob@example.com", Password: "demo", Attributes: person("Bob", "Baker", "bob@example.com")},
	}
}

// Server is the pool and its domain. It is an http.Handler.
type Server struct {
	cfg Config
	mux *http.ServeMux

	mu       sync.Mutex
	idKey    *signingKey // Cognito has two: one signs ID tokens, the other access tokens
	accKey   *signingKey
	retired  []*signingKey
	codes    map[string]*grant
	refresh  map[string]*grant
	access   map[string]*grant
	browsers map[string]*login // SSO cookie -> who
}

// login is somebody who is logged in at the pool's domain: one hour, not renewed by refreshes.
type login struct {
	user *User
	at   time.Time
}

// grant is what a code or a token stands for.
type grant struct {
	user                                  *User
	client, redirectURI, challenge, nonce string
	scope                                 string
	authTime, expires                     time.Time
	revoked                               bool
	family                                *bool // revoked together
}

// New makes a pool.
func New(cfg Config) (*Server, error) {
	if cfg.URL == "" || cfg.PoolID == "" {
		return nil, errors.New("fakecognito: URL and PoolID are needed")
	}
	if cfg.Users == nil {
		cfg.Users = DefaultUsers()
	}
	if cfg.Access == 0 {
		cfg.Access = time.Hour
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Server{cfg: cfg, codes: map[string]*grant{}, refresh: map[string]*grant{}, access: map[string]*grant{}, browsers: map[string]*login{}}
	if err := s.RotateKeys(); err != nil {
		return nil, err
	}
	s.routes()
	return s, nil
}

func (s *Server) routes() {
	s.mux = http.NewServeMux()
	pool := "/" + s.cfg.PoolID + "/.well-known/"
	s.mux.HandleFunc("GET "+pool+"openid-configuration", s.discovery)
	s.mux.HandleFunc("GET "+pool+"jwks.json", s.jwks)
	s.mux.HandleFunc("GET /oauth2/authorize", s.authorize)
	s.mux.HandleFunc("GET /login", s.showLogin)
	s.mux.HandleFunc("POST /login", s.doLogin)
	s.mux.HandleFunc("POST /oauth2/token", s.token)
	s.mux.HandleFunc("POST /oauth2/revoke", s.revoke)
	s.mux.HandleFunc("GET /oauth2/userInfo", s.userInfo)
	s.mux.HandleFunc("GET /logout", s.logout)
	s.mux.HandleFunc("GET /error", s.showError)
	s.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) })
}

// ServeHTTP answers as the pool and its domain.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.cfg.Faults.Down != nil && s.cfg.Faults.Down(r.URL.Path) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// Issuer is the pool's name of itself.
func (s *Server) Issuer() string { return s.cfg.URL + "/" + s.cfg.PoolID }

// RotateKeys makes new signing keys; tokens of the old ones still verify until the next rotation.
func (s *Server) RotateKeys() error {
	id, err := newSigningKey()
	if err != nil {
		return err
	}
	acc, err := newSigningKey()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retired = nil
	if s.idKey != nil {
		s.retired = []*signingKey{s.idKey, s.accKey}
	}
	s.idKey, s.accKey = id, acc
	return nil
}

// SignOutUser ends every token of a user, as an administrator's global sign-out does; the SSO cookie lives on.
func (s *Server) SignOutUser(username string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, grants := range []map[string]*grant{s.refresh, s.access} {
		for _, g := range grants {
			if g.user.Username == username {
				g.revoked = true
			}
		}
	}
}

// SetGroups changes a user's groups: the next token has them.
func (s *Server) SetGroups(username string, groups ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.userNamed(username); u != nil {
		u.Groups = groups
	}
}

func (s *Server) userNamed(name string) *User {
	for i := range s.cfg.Users {
		if s.cfg.Users[i].Username == name {
			return &s.cfg.Users[i]
		}
	}
	return nil
}

func (s *Server) client(id string) *Client {
	for i := range s.cfg.Clients {
		if s.cfg.Clients[i].ID == id {
			return &s.cfg.Clients[i]
		}
	}
	return nil
}

func (s *Server) discovery(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{ // the fields of the real one; PKCE is not announced, and works
		"authorization_endpoint": s.cfg.URL + "/oauth2/authorize", "end_session_endpoint": s.cfg.URL + "/logout",
		"id_token_signing_alg_values_supported": []string{"RS256"}, "issuer": s.Issuer(), "jwks_uri": s.Issuer() + "/.well-known/jwks.json",
		"response_types_supported": []string{"code", "token"}, "revocation_endpoint": s.cfg.URL + "/oauth2/revoke",
		"scopes_supported": []string{"openid", "email", "phone", "profile"}, "subject_types_supported": []string{"public"},
		"token_endpoint": s.cfg.URL + "/oauth2/token", "userinfo_endpoint": s.cfg.URL + "/oauth2/userInfo",
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
	})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client went away: nobody to tell
}

type signingKey struct {
	id  string
	key *rsa.PrivateKey
}

func newSigningKey() (*signingKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	return &signingKey{id: rand.Text() + "+/=", key: key}, nil // Cognito's key ids are standard base64
}
