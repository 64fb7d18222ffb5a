package auth

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hubgate/hubgate/internal/setting"
)

// fields returns a key as a provider publishes it, for a test to change.
func fields(t *testing.T, key any, id string) map[string]any {
	t.Helper()
	text, err := json.Marshal(jose.JSONWebKey{Key: key, KeyID: id})
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func with(m map[string]any, name string, value any) map[string]any {
	m[name] = value
	return m
}

// negativeSerial returns the certificate of a key, in the form of x5c, with the serial number -1.
func negativeSerial(t *testing.T, key *rsa.PrivateKey) []string {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(0x7f), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return []string{base64.StdEncoding.EncodeToString(bytes.Replace(der, []byte{2, 1, 0x7f}, []byte{2, 1, 0xff}, 1))}
}

func newRSA(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// examineKeys returns what check --live reports about the keys.
func (w *world) examineKeys() setting.Finding {
	for _, f := range w.handler.deps.Provider.Examine(w.t.Context(), nil) {
		if f.Part == "keys" {
			return f
		}
	}
	return setting.Finding{}
}

func TestKeySetSkipsInvalidMembers(t *testing.T) {
	t.Parallel()
	other := newRSA(t)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public := func(id string) map[string]any { return fields(t, &other.PublicKey, id) }
	for name, c := range map[string]struct {
		member any
		flaw   string // what the log must contain; "" = nothing
	}{
		"certificate with a bad serial":  {with(public("k2"), "x5c", negativeSerial(t, other)), `(kid "k2"): invalid cert`},
		"certificate that is not base64": {with(public("k2"), "x5c", []string{"!"}), "invalid certificate ignored"},
		"certificates of the wrong type": {with(public("k2"), "x5c", "text"), "invalid certificate ignored"},
		"thumbprint of the wrong size":   {with(public("k2"), "x5t", "AAAA"), "invalid certificate ignored"},
		"unknown key type":               {map[string]any{"kty": "NEW", "kid": "k2"}, `key 1 (kid "k2"): skipped`},
		"unknown curve":                  {with(fields(t, &curve.PublicKey, "k2"), "crv", "secp256k1"), "skipped"},
		"point that is not on the curve": {with(fields(t, &curve.PublicKey, "k2"), "x", "AAAA"), "skipped"},
		"key type that is missing":       {map[string]any{"kid": "k2"}, "skipped"},
		"modulus that is missing":        {map[string]any{"kty": "RSA", "kid": "k2", "e": "AQAB"}, "skipped"},
		"kid that is a number":           {with(public("k2"), "kid", 7), "key 1: skipped"},
		"null":                           {nil, "key 1: skipped: not a JSON object"},
		"list":                           {[]any{1}, "skipped: not a JSON object"},
		"private key":                    {fields(t, other, "k2"), "skipped: not a valid public key"},
		"symmetric key":                  {fields(t, []byte("secret"), "k2"), "skipped: not a valid public key"},
		"key of the same name":           {public("k1"), ""},
		"key without a name":             {public(""), ""},
		"key for encryption":             {with(with(public("k2"), "use", "enc"), "x5c", []string{"!"}), ""},
		"unknown algorithm":              {with(public("k2"), "alg", "XX999"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newIssuer(t)
			p.keys = func() []any { return []any{c.member, fields(t, &p.key.PublicKey, "k1")} }
			w := newWorld(t, func(w *world) { w.cfg.Issuer, w.cfg.Logout = p.URL, "local" })
			for range 2 {
				if got := w.finish(p); got.StatusCode != http.StatusFound || got.Header.Get("Location") != "/members/" {
					t.Errorf("login: %d to %q", got.StatusCode, got.Header.Get("Location"))
				}
				w.pass(time.Hour)
			}
			f := w.examineKeys()
			status, lines := setting.Warning, 1
			if c.flaw == "" {
				status, lines = setting.OK, 0
			}
			if f.Status != status || !strings.Contains(f.Detail, c.flaw) {
				t.Errorf("check --live: %+v", f)
			}
			if n := strings.Count(w.log.String(), "invalid key in the provider"); n != lines {
				t.Errorf("logged %d times:\n%s", n, w.log.String())
			}
		})
	}
}

func TestKeySetUsesKeyWithInvalidCertificate(t *testing.T) {
	t.Parallel()
	p := newIssuer(t)
	p.keys = func() []any { return []any{with(fields(t, &p.key.PublicKey, "k1"), "x5c", negativeSerial(t, p.key))} }
	if got := finish(t, p, nil); got.StatusCode != http.StatusFound {
		t.Errorf("%d", got.StatusCode)
	}
}

func TestKeySetWithoutUsableKeysMeansUnavailable(t *testing.T) {
	t.Parallel()
	for name, keys := range map[string][]any{
		"none": {}, "unknown type": {map[string]any{"kty": "NEW"}}, "symmetric": {map[string]any{"kty": "oct", "k": "AAAA"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newIssuer(t)
			p.keys = func() []any { return keys }
			w := newWorld(t, func(w *world) { w.cfg.Issuer, w.cfg.Logout = p.URL, "local" })
			if got := w.finish(p); got.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("login: %d", got.StatusCode)
			}
			f := w.examineKeys()
			if f.Status != setting.Failed || !strings.Contains(f.Detail, "no usable signing key") {
				t.Errorf("check --live: %+v", f)
			}
		})
	}
}

func TestKeySetFetchesReplacedKeysForALogin(t *testing.T) {
	t.Parallel()
	for name, id := range map[string]string{"under a new name": "k2", "under the same name": "k1", "without a name": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newIssuer(t)
			id0 := "k1"
			p.sign = func(p *issuerOf, claims map[string]any) string {
				return p.with(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: p.key, KeyID: id0}}, claims)
			}
			p.keys = func() []any { return []any{fields(t, &p.key.PublicKey, id0)} }
			w := newWorld(t, func(w *world) {
				w.cfg.Issuer, w.cfg.Logout, w.cfg.BackchannelLogout = p.URL, "local", true
			})
			if got := w.finish(p); got.StatusCode != http.StatusFound {
				t.Fatalf("before: %d", got.StatusCode)
			}
			w.pass(2 * time.Minute)
			for range 5 { // forged tokens use their own budget
				w.logoutToken(forged(t, w, p, "k9"))
			}
			p.key, id0 = newRSA(t), id
			w.pass(5 * time.Second)
			if got := w.finish(p); got.StatusCode != http.StatusFound {
				t.Errorf("a moment after the keys were replaced: %d", got.StatusCode)
			}
		})
	}
}

func TestKeySetKeepsOldKeysIfFetchFails(t *testing.T) {
	t.Parallel()
	p := newIssuer(t)
	var down atomic.Bool
	inner := p.Config.Handler
	p.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() && r.URL.Path == "/jwks" {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		inner.ServeHTTP(w, r)
	})
	w := newWorld(t, func(w *world) { w.cfg.Issuer, w.cfg.Logout, w.cfg.BackchannelLogout = p.URL, "local", true })
	if got := w.finish(p); got.StatusCode != http.StatusFound {
		t.Fatalf("before: %d", got.StatusCode)
	}
	down.Store(true)
	w.pass(2 * time.Minute)
	if got := w.logoutToken(forged(t, w, p, "k9")); got != http.StatusServiceUnavailable {
		t.Errorf("unverifiable token: %d", got)
	}
	if got := w.finish(p); got.StatusCode != http.StatusFound {
		t.Errorf("a login with a known key: %d", got.StatusCode)
	}
}
