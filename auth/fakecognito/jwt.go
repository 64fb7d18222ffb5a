package fakecognito

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"strings"
)

func (s *Server) jwks(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := []map[string]string{}
	for _, k := range append([]*signingKey{s.idKey, s.accKey}, s.retired...) {
		keys = append(keys, map[string]string{
			"alg": "RS256", "kty": "RSA", "use": "sig", "kid": k.id,
			"n": base64.RawURLEncoding.EncodeToString(k.key.N.Bytes()),
			"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.key.E)).Bytes()),
		})
	}
	writeJSON(w, http.StatusOK, map[string]any{"keys": keys})
}

func (k *signingKey) sign(claims map[string]any) (string, error) {
	header, err := json.Marshal(map[string]string{"kid": k.id, "alg": "RS256"})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(body)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, k.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", err
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// subject returns a stable id of a user in the form of a UUID.
func subject(u *user) string {
	sum := sha256.Sum256([]byte("fakecognito " + u.Username))
	h := []byte(strings.ToLower(base64Hex(sum[:16])))
	return string(h[:8]) + "-" + string(h[8:12]) + "-" + string(h[12:16]) + "-" + string(h[16:20]) + "-" + string(h[20:32])
}

func base64Hex(b []byte) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, 2*len(b))
	for _, c := range b {
		out = append(out, digits[c>>4], digits[c&15])
	}
	return string(out)
}

// idToken returns an ID token with the attributes of the scope. email_verified is a boolean here, and a string in
// userInfo.
func (s *Server) idToken(g *grant, accessToken string) (string, error) {
	now := s.cfg.Now()
	sum := sha256.Sum256([]byte(accessToken))
	claims := map[string]any{
		"sub": subject(g.user), "iss": s.issuer(), "aud": g.client, "token_use": "id", "auth_time": g.authTime.Unix(),
		"iat": now.Unix(), "exp": now.Add(s.cfg.Access).Unix(),
		"jti": rand.Text(), "origin_jti": rand.Text(), "event_id": rand.Text(),
		"cognito:username": subject(g.user), "at_hash": base64.RawURLEncoding.EncodeToString(sum[:16]),
	}
	if g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	if len(g.user.Groups) > 0 { // without groups, the claim is absent, not empty
		claims["cognito:groups"] = g.user.Groups
	}
	for name, value := range g.user.attributes(g.scope) {
		claims[name] = value
		if strings.HasSuffix(name, "_verified") {
			claims[name] = value == "true"
		}
	}
	return s.idKey.sign(claims)
}

// accessToken returns an access token. It has client_id instead of aud.
func (s *Server) accessToken(g *grant) (string, error) {
	now := s.cfg.Now()
	claims := map[string]any{
		"sub": subject(g.user), "iss": s.issuer(), "client_id": g.client, "token_use": "access", "scope": g.scope,
		"auth_time": g.authTime.Unix(),
		"iat":       now.Unix(), "exp": now.Add(s.cfg.Access).Unix(), "jti": rand.Text(),
		"username": subject(g.user), "version": 2,
	}
	if len(g.user.Groups) > 0 {
		claims["cognito:groups"] = g.user.Groups
	}
	return s.accKey.sign(claims)
}

// attributes returns the attributes that the scopes include.
func (u *user) attributes(scope string) map[string]string {
	included := map[string]string{}
	has := map[string]bool{}
	for _, s := range strings.Fields(scope) {
		has[s] = true
	}
	for name, value := range u.Attributes {
		switch {
		case strings.HasPrefix(name, "email"):
			if has["email"] {
				included[name] = value
			}
		case strings.HasPrefix(name, "phone"):
			if has["phone"] {
				included[name] = value
			}
		case has["profile"]:
			included[name] = value
		}
	}
	return included
}
