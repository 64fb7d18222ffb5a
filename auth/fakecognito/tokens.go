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

// token is the token endpoint. It exchanges a code or a refresh token for tokens.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		tokenError(w, http.StatusBadRequest, "invalid_request")
		return
	}
	if s.cfg.TokenError != nil {
		if status, code := s.cfg.TokenError(r.PostForm); status != 0 {
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
		s.exchangeCode(w, client, r.PostForm)
	case "refresh_token":
		s.exchangeRefresh(w, client, r.PostForm.Get("refresh_token"))
	default:
		tokenError(w, http.StatusBadRequest, "unsupported_grant_type")
	}
}

func tokenError(w http.ResponseWriter, status int, code string) {
	writeJSON(w, status, map[string]string{"error": code})
}

// authenticated returns the client that the request authenticates, with its secret in the header or in the body. A
// client without a secret only sends its id.
func (s *Server) authenticated(r *http.Request) (*Client, bool) {
	id, secret := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	if user, password, ok := r.BasicAuth(); ok {
		id, _ = url.QueryUnescape(user)
		secret, _ = url.QueryUnescape(password)
	}
	client := s.client(id)
	return client, client != nil && client.Secret == secret
}

func (s *Server) exchangeCode(w http.ResponseWriter, client *Client, form url.Values) {
	g := s.codes[form.Get("code")]
	delete(s.codes, form.Get("code")) // single use, even if the exchange fails
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

func (s *Server) exchangeRefresh(w http.ResponseWriter, client *Client, token string) {
	g := s.refresh[token]
	if g == nil || g.client != client.ID || g.revoked || *g.family || s.cfg.Now().After(g.expires) {
		tokenError(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	next := ""
	if s.cfg.Rotate {
		next = s.newRefresh(g)
		s.refresh[next].expires = g.expires // rotation does not extend the first token's lifetime
		g.expires = s.cfg.Now().Add(s.cfg.RotationGrace)
	}
	s.issue(w, g, next)
}

// issue responds with tokens. refreshToken is empty for a refresh without rotation.
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
	body := map[string]any{"access_token": access, "id_token": id, "token_type": "Bearer",
		"expires_in": int(s.cfg.Access.Seconds())}
	if refreshToken != "" {
		body["refresh_token"] = refreshToken
	}
	writeJSON(w, http.StatusOK, body)
}

// revoke revokes all tokens of a refresh token's login. It also succeeds for an unknown token (RFC 7009, section 2.2).
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

// userInfo is the userinfo endpoint. It returns no groups, and booleans as strings.
func (s *Server) userInfo(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.access[token]
	if g == nil || g.revoked || *g.family || s.cfg.Now().After(g.expires) {
		w.Header().Set("WWW-Authenticate", `error="invalid_token", error_description="Access token is expired, `+
			`disabled, or deleted, or the user has globally signed out."`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	info := map[string]string{"sub": subject(g.user), "username": subject(g.user)}
	for name, value := range g.user.attributes(g.scope) {
		info[name] = value
	}
	writeJSON(w, http.StatusOK, info)
}
