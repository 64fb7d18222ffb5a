package e2e

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hubgate/hubgate/auth/fakecognito"
)

// pool is a user pool that counts redeemed codes and refresh tokens, and may shorten the lifetime of access tokens.
type pool struct {
	*httptest.Server
	cognito *fakecognito.Server
	// logoutKey signs logout tokens. Cognito sends none, so the key set of the pool has this key in addition.
	logoutKey *rsa.PrivateKey

	codes     atomic.Int64 // redeemed
	refreshes atomic.Int64
	expiresIn atomic.Int64 // expires_in of a login's access token in seconds; 0: unchanged
	// onRefresh is called with the number of the refresh from 1, once the token is rotated and before the answer.
	onRefresh atomic.Pointer[func(n int64)]
}

const poolID = "eu-west-1_E2E000001"

// cognito runs a user pool whose access tokens live for an hour.
func cognito(s *site) config { return cognitoWith(0)(s) }

// cognitoWith runs a user pool whose access tokens have a given lifetime.
func cognitoWith(access time.Duration) func(*site) config {
	return func(s *site) config {
		s.t.Helper()
		s.pool = newPool(s.t, s.url, access)
		s.form = loginForm{s.pool.URL, "login", "alice@example.com", "demo"}
		return config{
			"auth.issuer": s.pool.issuer(), "auth.client_id": "web", "auth.client_secret": "secret",
			"auth.logout": "cognito", "auth.backchannel_logout": "true", "auth.login_rate": "none",
		}
	}
}

func newPool(t *testing.T, site string, access time.Duration) *pool {
	t.Helper()
	p := &pool{}
	p.Server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.Close)
	var err error
	if p.logoutKey, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	p.cognito, err = fakecognito.New(fakecognito.Config{
		URL: p.URL, PoolID: poolID, Access: access, Rotate: true, RotationGrace: time.Minute,
		Clients: []fakecognito.Client{{ID: "web", Secret: "secret",
			CallbackURLs: []string{site + "/oauth2/callback"}, LogoutURLs: []string{site + "/oauth2/signed_out"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *pool) issuer() string { return p.URL + "/" + poolID }

func (p *pool) serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/jwks.json"):
		p.keys(w, r)
	case r.URL.Path == "/oauth2/token":
		p.token(w, r)
	default:
		p.cognito.ServeHTTP(w, r)
	}
}

func (p *pool) token(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	form, _ := url.ParseQuery(string(body))
	login := form.Get("grant_type") == "authorization_code"
	rec := httptest.NewRecorder()
	p.cognito.ServeHTTP(rec, r)
	if login {
		p.codes.Add(1)
	} else if n, call := p.refreshes.Add(1), p.onRefresh.Load(); call != nil {
		(*call)(n)
	}
	text := rec.Body.String()
	if short := p.expiresIn.Load(); login && short > 0 {
		text = strings.Replace(text, `"expires_in":3600`, fmt.Sprintf(`"expires_in":%d`, short), 1)
	}
	w.Header().Set("Content-Type", rec.Header().Get("Content-Type"))
	w.WriteHeader(rec.Code)
	io.WriteString(w, text)
}

func (p *pool) keys(w http.ResponseWriter, r *http.Request) {
	rec := httptest.NewRecorder()
	p.cognito.ServeHTTP(rec, r)
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(rec.Body.Bytes(), &set); err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	own := jose.JSONWebKey{Key: p.logoutKey.Public(), KeyID: "logout", Algorithm: "RS256", Use: "sig"}
	set.Keys = append(set.Keys, own)
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(set)
}

// logoutToken returns a token that logs a user out over the back-channel.
func (p *pool) logoutToken(t *testing.T, subject string) string {
	t.Helper()
	return sign(t, jose.RS256, jose.JSONWebKey{Key: p.logoutKey, KeyID: "logout"}, map[string]any{
		"iss": p.issuer(), "aud": "web", "sub": subject, "jti": rand.Text(),
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	})
}

// sign returns a signed JWT.
func sign(t *testing.T, algorithm jose.SignatureAlgorithm, key jose.JSONWebKey, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}
