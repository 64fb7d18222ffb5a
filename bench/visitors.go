package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/session"
)

const issuer = "http://127.0.0.1:1/bench"

// sessionStarter starts sessions without a provider, with the session package itself, so that Redis holds the same data
// as after a login.
type sessionStarter struct {
	manager *session.Manager
	rdb     *redis.Client
	site    *inbound.Site
}

// newSessionStarter returns one for the gateways with a key, a Redis and a public host.
func newSessionStarter(key, redisAddr, host string) (*sessionStarter, error) {
	ring, err := seal.New(key)
	if err != nil {
		return nil, err
	}
	public, ok := inbound.ParseSite("http://" + host)
	if !ok {
		return nil, errors.New("not a public host: " + host)
	}
	rdb := redis.NewClient(&redis.Options{Addr: redisAddr, PoolSize: 64})
	cfg := session.DefaultConfig()
	m, err := session.New(cfg, session.Deps{
		Redis: rdb, Block: rdb, Ring: ring, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Metrics: session.NewMetrics(prometheus.NewRegistry()), Now: time.Now,
	})
	if err != nil {
		return nil, err
	}
	m.Set(session.Settings{Config: cfg, Issuer: issuer, ClientID: clientID})
	return &sessionStarter{m, rdb, public}, nil
}

func (s *sessionStarter) close() { s.rdb.Close() }

// login starts the session of the i-th visitor and returns its cookie as NAME=VALUE.
func (s *sessionStarter) login(ctx context.Context, i int) (string, error) {
	req, err := s.request(ctx, "")
	if err != nil {
		return "", err
	}
	rec := httptest.NewRecorder()
	if _, err := s.manager.Start(rec, req, visitor(i)); err != nil {
		return "", err
	}
	cookie := rec.Result().Cookies()[0]
	return cookie.Name + "=" + cookie.Value, nil
}

// request returns a visitor's request, as the session package expects it.
func (s *sessionStarter) request(ctx context.Context, cookie string) (*http.Request, error) {
	facts := &inbound.Facts{Site: s.site, Client: netip.AddrFrom4([4]byte{203, 0, 113, 9})}
	req, err := http.NewRequestWithContext(inbound.With(ctx, facts), http.MethodGet, "http://"+s.site.Host+"/members/",
		nil)
	if err == nil && cookie != "" {
		req.Header.Set("Cookie", cookie)
	}
	return req, err
}

// visitor returns a user like Cognito's: claims, groups, and tokens of the usual length.
func visitor(i int) session.Session {
	email := fmt.Sprintf("visitor-%d@example.com", i)
	subject := fmt.Sprintf("%08x-7c1d-4b3e-9c55-0242ac120002", i)
	groups := []string{"members", "partner"}
	now := float64(time.Now().Unix())
	return session.Session{
		User: session.User{
			Issuer: issuer, Subject: subject, Email: email, EmailVerified: true, Name: "Visitor Number", Groups: groups,
			Claims: map[string]any{
				"sub": subject, "email": email, "email_verified": true, "given_name": "Visitor",
				"family_name": "Number", "locale": "de-DE",
				"cognito:username": subject, "cognito:groups": []any{"members", "partner"}, "custom:tier": "gold",
				"custom:company": "Example GmbH", "iss": issuer, "aud": clientID, "token_use": "id",
				"auth_time": now, "iat": now, "exp": now + 900,
				"origin_jti": rand.Text(), "jti": rand.Text(), "event_id": rand.Text(), "at_hash": rand.Text()[:22],
			},
		},
		Tokens: session.Tokens{
			Access: randomToken(1100), Refresh: randomToken(1750), AccessExpiry: time.Now().Add(12 * time.Hour),
		},
		ClientID: clientID, AuthTime: time.Now(),
	}
}

// randomToken returns a token of n characters that cannot be compressed.
func randomToken(n int) string {
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(rand.Text())
	}
	return b.String()[:n]
}
