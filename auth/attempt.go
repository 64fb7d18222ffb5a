package auth

import (
	"crypto/rand"
	"time"

	"golang.org/x/oauth2"

	"github.com/hubgate/hubgate/auth/openid"
)

// attempt is one begun login: what the callback must repeat, and the page that the visitor wants. It is sealed in a
// cookie of its own, so that logins in several tabs are independent and a begun login needs no Redis.
type attempt struct {
	State     string    `json:"s"`
	Nonce     string    `json:"n"`
	Verifier  string    `json:"v"` // PKCE code verifier
	ReturnTo  string    `json:"r"`
	Shortened bool      `json:"u,omitempty"` // ReturnTo was too long and lost its query
	Host      string    `json:"h"`
	Issuer    string    `json:"i"`
	ClientID  string    `json:"c"`
	Began     time.Time `json:"b"`
	Prompted  bool      `json:"p,omitempty"` // the provider was sent prompt=login
	Trace     string    `json:"t,omitempty"` // traceparent of the request that began the login
	Key       []byte    `json:"k"`           // opens the result for a repeated callback
	Claim     string    `json:"m,omitempty"` // name of the claims whose reply from Redis was lost
	Tries     int       `json:"w,omitempty"` // number of these claims
}

const (
	attemptTime = 15 * time.Minute // how long an attempt can finish a login
	attemptKept = 24 * time.Hour   // how long its cookie keeps the page
)

func newAttempt(st state, now time.Time) *attempt {
	a := &attempt{
		State: st.text, Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Began: now, Key: make([]byte, 32),
	}
	rand.Read(a.Key)
	return a
}

// usable reports whether the attempt can finish a login here: in time, and for this host, provider and client.
func (a *attempt) usable(p *openid.Provider, host string, now time.Time) bool {
	return !a.expired(now) && a.Host == host && a.Issuer == p.Issuer() && a.ClientID == p.ClientID()
}

func (a *attempt) expired(now time.Time) bool { return now.Sub(a.Began) >= attemptTime }

// promptedAt returns when the provider was asked to authenticate the user again, or zero.
func (a *attempt) promptedAt() time.Time {
	if a.Prompted {
		return a.Began
	}
	return time.Time{}
}
