package fakecognito

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// token is the token endpoint: a code or a refresh token for tokens.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		tokenError(w, http.StatusBadRequest, "invalid_request")
		return
	}
	if s.cfg.Faults.Token != nil {
		if status, code := s.cfg.Faults.Token(r.PostForm); status != 0 {
			tokenError(w, status, code)
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	client, ok := s.authenticated(r)
	if !ok {
		tokenError(w, http.StatusBadRequest, "invalid_client")
		return
	}
	switch r.PostForm.Get("grant_type") {
	case "authorization_code":
		s.byCode(w, client, r.PostForm)
	case "refresh_token":
		s.byRefresh(w, client, r.PostForm.Get("refresh_token"))
	default:
		tokenError(w, http.StatusBadRequest, "unsupported_grant_type")
	}
}

func tokenError(w http.ResponseWriter, status int, code string) {
	answer(w, status, map[string]string{"error": code})
}

// authenticated takes the secret in the header or in the body; a client without a secret only names itself.
func (s *Server) authenticated(r *http.Request) (*Client, bool) {
	id, secret := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	if user, password, ok := r.BasicAuth(); ok {
		id, _ = url.QueryUnescape(user)
		secret, _ = url.QueryUnescape(password)
	}
	client := s.client(id)
	return client, client != nil && client.Secret == secret
}

func (s *Server) byCode(w http.ResponseWriter, client *Client, form url.Values) {
	g := s.codes[form.Get("code")]
	delete(s.codes, form.Get("code")) // single use, also when it fails
	switch {
	case g == nil || g.client != client.ID || s.cfg.Now().After(g.expires):
		tokenError(w, http.StatusBadRequest, "invalid_grant")
	case g.redirectURI != form.Get("redirect_uri"):
		tokenError(w, http.StatusBadRequest, "unauthorized_client")
	case g.challenge != "" && g.challenge != challengeOf(form.Get("code_verifier")):
		tokenError(w, http.StatusBadRequest, "invalid_grant")
	default:
		s.issue(w, g, s.newRefresh(g))
	}
}

func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

const refreshTime = 30 * 24 * time.Hour

func (s *Server) newRefresh(g *grant) string {
	token := "rt." + rand.Text() + rand.Text()
	next := *g
	next.expires, next.nonce = s.cfg.Now().Add(refreshTime), "" // a refreshed ID token has no nonce
	s.refresh[token] = &next
	return token
}

func (s *Server) byRefresh(w http.ResponseWriter, client *Client, token string) {
	g := s.refresh[token]
	if g == nil || g.client != client.ID || g.revoked || *g.family || s.cfg.Now().After(g.expires) {
		tokenError(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	next := ""
	if s.cfg.Rotate {
		next = s.newRefresh(g)
		s.refresh[next].expires = g.expires // nothing slides past the first one's end
		g.expires = s.cfg.Now().Add(s.cfg.RotationGrace)
	}
	s.issue(w, g, next)
}

// issue answers with tokens; without rotation a refresh has no refresh_token.
func (s *Server) issue(w http.ResponseWriter, g *grant, refreshToken string) {
	access, err := s.accessToken(g)
	if err != nil {
		tokenError(w, http.StatusInternalServerError, "server_error")
		return
	}
	id, err := s.idToken(g, access)
	if err != nil {
		tokenError(w, http.StatusInternalServerError, "server_error")
		return
	}
	live := *g
	live.expires = s.cfg.Now().Add(s.cfg.Access)
	s.access[access] = &live
	body := map[string]any{"access_token": access, "id_token": id, "token_type": "Bearer", "expires_in": int(s.cfg.Access.Seconds())}
	if refreshToken != "" {
		body["refresh_token"] = refreshToken
	}
	answer(w, http.StatusOK, body)
}

// revoke ends a refresh token's family; a token nobody knows is fine too.
func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil || r.PostForm.Get("token") == "" {
		tokenError(w, http.StatusBadRequest, "invalid_request")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.authenticated(r); !ok {
		tokenError(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	if g := s.refresh[r.PostForm.Get("token")]; g != nil {
		*g.family = true
	}
	w.WriteHeader(http.StatusOK)
}

// userInfo has no groups, and spells booleans as text.
func (s *Server) userInfo(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.access[token]
	if g == nil || g.revoked || *g.family || s.cfg.Now().After(g.expires) {
		w.Header().Set("WWW-Authenticate", `error="invalid_token", error_description="Access token is expired, disabled, or deleted, or the user has globally signed out."`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	info := map[string]string{"sub": subject(g.user), "username": subject(g.user)}
	for name, value := range g.user.attributes(g.scope) {
		info[name] = value
	}
	answer(w, http.StatusOK, info)
}
