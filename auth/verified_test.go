package auth

import (
	"io"
	"log/slog"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/hubgate/hubgate/auth/openid"
	"github.com/hubgate/hubgate/session"
)

// emailClaims are the e-mail claims of the ID token and of UserInfo, and those of the session.
type emailClaims struct {
	idToken, info map[string]any
	email         string
	verified      bool
}

const victim, mallory = "victim@example.com", "mallory@example.com"

func mergedEmails() map[string]emailClaims {
	return map[string]emailClaims{
		"verified by UserInfo for another address": {
			map[string]any{"email": victim}, map[string]any{"email": mallory, "email_verified": true}, victim, false,
		},
		"verified by the ID token without an address": {
			map[string]any{"email_verified": true}, map[string]any{"email": victim, "email_verified": false}, victim, false,
		},
		"verified by UserInfo without an address": {
			map[string]any{"email": victim}, map[string]any{"email_verified": "true"}, victim, false,
		},
		"verified by UserInfo for another list of addresses": {
			map[string]any{"email": []any{victim}}, map[string]any{"email": []any{mallory}, "email_verified": true}, "", false,
		},
		"verified by UserInfo for a number": {
			map[string]any{"email": []any{victim}}, map[string]any{"email": 1, "email_verified": true}, "", false,
		},
		"rejected by the ID token": {
			map[string]any{"email": victim, "email_verified": false},
			map[string]any{"email": victim, "email_verified": true}, victim, false,
		},
		"verified by UserInfo for the same address": {
			map[string]any{"email": victim}, map[string]any{"email": victim, "email_verified": "true"}, victim, true,
		},
		"only in UserInfo": {nil, map[string]any{"email": victim, "email_verified": true}, victim, true},
		"only in the ID token": {
			map[string]any{"email": victim, "email_verified": true}, nil, victim, true,
		},
	}
}

// issuer returns a provider that sends these claims.
func (c emailClaims) issuer(t *testing.T) *issuerOf {
	p := newIssuer(t)
	p.claims = func(claims map[string]any) { maps.Copy(claims, c.idToken) }
	p.profile = func(info map[string]any) {
		delete(info, "email")
		delete(info, "email_verified")
		maps.Copy(info, c.info)
	}
	return p
}

func (c emailClaims) check(t *testing.T, u session.User) {
	t.Helper()
	if u.Email != c.email || u.EmailVerified != c.verified || u.Claims["email_verified"] == nil && u.EmailVerified {
		t.Errorf("%q, verified %v, claims %v", u.Email, u.EmailVerified, u.Claims)
	}
}

func TestVerificationCountsOnlyForItsAddress(t *testing.T) {
	t.Parallel()
	for name, c := range mergedEmails() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := c.issuer(t)
			w := newWorld(t, func(w *world) {
				w.cfg.Issuer, w.cfg.Logout, w.cfg.GroupsClaim = p.URL, "local", "groups"
				w.cfg.ClaimsFromUserinfo = true
			})
			b := w.browser()
			if got := w.finishIn(b, p); got.StatusCode != http.StatusFound {
				t.Fatal(got.StatusCode)
			}
			c.check(t, w.sessionOf(b).User)
		})
	}
}

func TestVerificationAtRefreshCountsOnlyForItsAddress(t *testing.T) {
	t.Parallel()
	for name, c := range mergedEmails() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := c.issuer(t)
			cfg := DefaultConfig()
			cfg.Issuer, cfg.ClientID, cfg.ClientAuth, cfg.ClaimsFromUserinfo = p.URL, "client", "none", true
			provider, err := openid.New(cfg.OpenID(), openid.Deps{
				Client: providerClient(), Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now,
			})
			if err != nil {
				t.Fatal(err)
			}
			_, user, err := provider.Refresh(t.Context(), "refresh token")
			if err != nil {
				t.Fatal(err)
			}
			c.check(t, user)
		})
	}
}
