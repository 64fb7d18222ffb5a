package certs

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/background"
	"github.com/hubgate/hubgate/internal/seal"
)

// logging returns an ACME and its log from level info on.
func logging(t *testing.T) (*ACME, *miniredis.Miniredis, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	a, m := newACME(t, slog.NewTextHandler(log, nil))
	t.Cleanup(a.cache.Stop)
	return a, m, log
}

// newACME returns an ACME that must be stopped, and its Redis.
func newACME(t *testing.T, log slog.Handler) (*ACME, *miniredis.Miniredis) {
	t.Helper()
	m := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: m.Addr(), MaxRetries: -1})
	t.Cleanup(func() { rdb.Close() })
	ring, err := seal.New(seal.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	a, err := NewACME(ACMEConfig{
		Agreed: true, Directory: "https://127.0.0.1:1/", Redis: rdb, KeyPrefix: "hubgate:", Ring: ring,
		Log: slog.New(log),
	})
	if err != nil {
		t.Fatal(err)
	}
	return a, m
}

func TestFailingCertificateIsLoggedOnceUntilItIsObtained(t *testing.T) {
	t.Parallel()
	a, _, log := logging(t)
	for range 3 {
		for range 5 {
			for _, name := range []string{"www.example.com", "app.example.com"} {
				if err := a.event(t.Context(), "cert_failed", map[string]any{"identifier": name, "error": "no"}); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = a.event(t.Context(), "cert_obtained", map[string]any{"identifier": "www.example.com"})
	}
	text := log.String()
	if got := strings.Count(text, "could not obtain a certificate, retrying\" name=www"); got != 3 {
		t.Errorf("%d lines, want one before each success", got)
	}
	if got := strings.Count(text, "could not obtain a certificate, retrying\" name=app"); got != 1 {
		t.Errorf("%d lines, want 1", got)
	}
}

func TestUnreadableStoreIsLoggedOnceAndSoIsItsEnd(t *testing.T) {
	t.Parallel()
	a, m, log := logging(t)
	a.hosts.set([]string{"www.example.com", "app.example.com"})
	a.asked = map[string]bool{"www.example.com": true, "app.example.com": true} // nothing is ordered
	for range 2 {
		m.SetError("LOADING")
		for range 3 {
			a.manage(t.Context())
		}
		m.SetError("")
		for range 3 {
			a.manage(t.Context())
		}
	}
	for _, line := range []string{"cannot read certificates from Redis", "certificates are read from Redis again"} {
		if got := strings.Count(log.String(), line); got != 2 {
			t.Errorf("%d times %q, want 2:\n%s", got, line, log)
		}
	}
}

// panicking is a log that panics.
type panicking struct{ slog.Handler }

func (panicking) Handle(context.Context, slog.Record) error { panic("a bug") }

func TestRunAfterAPanicKeepsRenewing(t *testing.T) {
	t.Parallel()
	a, m := newACME(t, panicking{slog.NewTextHandler(io.Discard, nil)})
	a.hosts.set([]string{"www.example.com"})
	m.SetError("LOADING")
	if err := background.Catch(func() { _ = a.Run(t.Context()) }); err == nil {
		t.Fatal("Run did not panic")
	}
	m.SetError("")
	a.asked["www.example.com"] = true // nothing is ordered
	a.down = false
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := background.Catch(func() { _ = a.Run(ctx) }); err != nil {
		t.Errorf("the first Run had stopped the renewals: %v", err)
	}
}
