package auth

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// issuerOf is an OpenID Provider that signs any claims, also invalid ones.
type issuerOf struct {
	*httptest.Server
	t       *testing.T
	key     *rsa.PrivateKey
	sign    func(p *issuerOf, claims map[string]any) string
	claims  func(claims map[string]any)
	nonce   string
	profile func(map[string]any)
	keys    func() []any         // what /jwks publishes; nil = the signing key
	fetched func()               // called at each fetch of the keys; may be nil
	token   http.HandlerFunc     // replaces the token endpoint; may be nil
	granted func(map[string]any) // changes the token response; may be nil
}

func newIssuer(t *testing.T) *issuerOf {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &issuerOf{t: t, key: key, sign: (*issuerOf).rs256}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token",
			"jwks_uri": p.URL + "/jwks", "userinfo_endpoint": p.URL + "/userinfo",
			"id_token_signing_alg_values_supported": []string{"RS256", "HS256", "none"},
		})
	})
	mux.HandleFunc("/jwks", func(w http.ResponseWriter, _ *http.Request) {
		if p.fetched != nil {
			p.fetched()
		}
		if p.keys != nil {
			json.NewEncoder(w).Encode(map[string]any{"keys": p.keys()})
			return
		}
		key := jose.JSONWebKey{Key: &p.key.PublicKey, KeyID: "k1", Algorithm: "RS256", Use: "sig"}
		json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key}})
	})
	mux.HandleFunc("/userinfo", func(w http.ResponseWriter, _ *http.Request) {
		info := map[string]any{"sub": "ada", "email": "ada@example.com", "email_verified": "true"}
		if p.profile != nil {
			p.profile(info)
		}
		json.NewEncoder(w).Encode(info)
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		if p.token != nil {
			p.token(w, r)
			return
		}
		claims := map[string]any{
			"iss": p.URL, "sub": "ada", "aud": "client", "nonce": p.nonce,
			"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
		}
		if p.claims != nil {
			p.claims(claims)
		}
		answer := map[string]any{"access_token": "access", "token_type": "Bearer", "expires_in": 3600}
		answer["id_token"] = p.sign(p, claims)
		if p.granted != nil {
			p.granted(answer)
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(answer)
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *issuerOf) rs256(claims map[string]any) string {
	return p.with(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: p.key, KeyID: "k1"}}, claims)
}

func (p *issuerOf) with(key jose.SigningKey, claims map[string]any) string {
	p.t.Helper()
	signer, err := jose.NewSigner(key, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	body, err := json.Marshal(claims)
	if err != nil {
		p.t.Fatal(err)
	}
	object, err := signer.Sign(body)
	if err != nil {
		p.t.Fatal(err)
	}
	text, err := object.CompactSerialize()
	if err != nil {
		p.t.Fatal(err)
	}
	return text
}

// finish logs in at an issuer in a new gateway, and returns the callback's answer.
func finish(t *testing.T, p *issuerOf, change func(*Config)) answer {
	t.Helper()
	got, _ := finishNew(t, p, change)
	return got
}

// finishNew is finish, and also returns the gateway.
func finishNew(t *testing.T, p *issuerOf, change func(*Config)) (answer, *world) {
	t.Helper()
	w := newWorld(t, func(w *world) {
		w.cfg.Issuer, w.cfg.Logout, w.cfg.GroupsClaim = p.URL, "auto", "groups"
		if change != nil {
			change(&w.cfg)
		}
	})
	return w.finish(p), w
}

// finish logs a new browser in at an issuer, and returns the callback's answer.
func (w *world) finish(p *issuerOf) answer { return w.finishIn(w.browser(), p) }

// finishIn logs a browser in at an issuer, and returns the callback's answer.
func (w *world) finishIn(b *browser, p *issuerOf) answer {
	w.t.Helper()
	q := mustParse(w.t, b.step(w.gateway.URL+"/members/").Header.Get("Location")).Query()
	p.nonce = q.Get("nonce")
	return b.step(w.gateway.URL + "/oauth2/callback?" + url.Values{"code": {"c"}, "state": {q.Get("state")}}.Encode())
}

func unsigned(claims map[string]any) string {
	body, _ := json.Marshal(claims)
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"none"}`)) + "." + encode(body) + "."
}
