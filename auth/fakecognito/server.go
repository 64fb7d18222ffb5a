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

// Config configures the pool.
type Config struct {
	URL     string // the server's own URL: scheme, host and port
	PoolID  string // <region>_<id>
	Clients []Client
	Access  time.Duration // lifetime of ID and access tokens; 0 means one hour
	// Rotate issues a new refresh token at each refresh. The old one remains valid for RotationGrace.
	Rotate        bool
	RotationGrace time.Duration
	Now           func() time.Time
	// TokenError returns an error of the token endpoint for a request; status 0, or a nil function, means none.
	TokenError func(form url.Values) (status int, code string)
}

// Client is an app client. Its URLs must match exactly.
type Client struct {
	ID, Secret   string
	CallbackURLs []string
	LogoutURLs   []string
}

// user is an account. Its attributes become claims; custom ones are always strings.
type user struct {
	Username, Password string
	Attributes         map[string]string
	Groups             []string
}

// demoUsers returns the users of the demo: alice in the groups members and partner, bob in no group. Both have the
// password demo.
func demoUsers() []user {
	person := func(first, last, email string) map[string]string {
		return map[string]string{"email": email, "email_verified": "true",
			"given_name": first, "family_name": last, "name": first + " " + last}
	}
	return []user{
		{Username: "alice@example.com", Password: "demo",
			Attributes: person("Alice", "Archer", "alice@example.com"), Groups: []string{"members", "partner"}},
		{Username: "bob@example.com", Password: "demo", Attributes: person("Bob", "Baker", "bob@example.com")},
	}
}

// Server is the user pool and its domain, as an http.Handler.
type Server struct {
	cfg Config
	mux *http.ServeMux

	mu       sync.Mutex
	users    []user
	idKey    *signingKey // signs ID tokens; Cognito has another key for access tokens
	accKey   *signingKey
	retired  []*signingKey
	codes    map[string]*grant
	refresh  map[string]*grant
	access   map[string]*grant
	browsers map[string]*login // by SSO cookie
}

// login is a login at the pool's domain. It lasts one hour; refreshes do not extend it.
type login struct {
	user *user
	at   time.Time
}

// grant is the authorization that a code or a token represents.
type grant struct {
	user                                  *user
	client, redirectURI, challenge, nonce string
	scope                                 string
	authTime, expires                     time.Time
	revoked                               bool
	family                                *bool // shared by all tokens of a login: true if they are revoked
}

// New returns a pool.
func New(cfg Config) (*Server, error) {
	if cfg.URL == "" || cfg.PoolID == "" {
		return nil, errors.New("fakecognito: URL and PoolID are required")
	}
	if cfg.Access == 0 {
		cfg.Access = time.Hour
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Server{cfg: cfg, users: demoUsers(),
		codes: map[string]*grant{}, refresh: map[string]*grant{}, access: map[string]*grant{},
		browsers: map[string]*login{}}
	if err := s.rotateKeys(); err != nil {
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
	s.mux.Handle("GET /{$}", http.RedirectHandler("/login", http.StatusFound))
}

// ServeHTTP serves the endpoints of the pool and its domain.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mux.ServeHTTP(w, r)
}

// issuer returns the pool's issuer URL.
func (s *Server) issuer() string { return s.cfg.URL + "/" + s.cfg.PoolID }

// rotateKeys creates new signing keys. Tokens signed with the old ones remain valid until the next rotation.
func (s *Server) rotateKeys() error {
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

// SignOutUser revokes all tokens of a user, like Cognito's AdminUserGlobalSignOut. The SSO cookie remains valid.
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

// SetGroups sets a user's groups, from the next token on.
func (s *Server) SetGroups(username string, groups ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.userNamed(username); u != nil {
		u.Groups = groups
	}
}

func (s *Server) userNamed(name string) *user {
	for i := range s.users {
		if s.users[i].Username == name {
			return &s.users[i]
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
	writeJSON(w, http.StatusOK, map[string]any{ // the fields of the real one, which supports PKCE without advertising it
		"authorization_endpoint": s.cfg.URL + "/oauth2/authorize", "end_session_endpoint": s.cfg.URL + "/logout",
		"id_token_signing_alg_values_supported": []string{"RS256"}, "issuer": s.issuer(),
		"jwks_uri":                 s.issuer() + "/.well-known/jwks.json",
		"response_types_supported": []string{"code", "token"}, "revocation_endpoint": s.cfg.URL + "/oauth2/revoke",
		"scopes_supported": []string{"openid", "email", "phone", "profile"}, "subject_types_supported": []string{"public"},
		"token_endpoint": s.cfg.URL + "/oauth2/token", "userinfo_endpoint": s.cfg.URL + "/oauth2/userInfo",
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
	})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // fails only if the client has disconnected
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
