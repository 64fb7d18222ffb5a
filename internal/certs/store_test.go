package certs

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/seal"
)

func testStore(t *testing.T, keys ...string) (*store, *miniredis.Miniredis) {
	t.Helper()
	m := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: m.Addr()})
	t.Cleanup(func() { rdb.Close() })
	if len(keys) == 0 {
		keys = []string{seal.NewKey()}
	}
	ring, err := seal.New(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return newStore(rdb, "hubgate:", ring), m
}

func TestStoreSealsValues(t *testing.T) {
	t.Parallel()
	s, m := testStore(t)
	ctx, secret := t.Context(), []byte("-----BEGIN PRIVATE KEY-----")
	if err := s.Store(ctx, "certificates/ca/www/www.key", secret); err != nil {
		t.Fatal(err)
	}
	got, err := s.Load(ctx, "certificates/ca/www/www.key")
	if err != nil || !bytes.Equal(got, secret) {
		t.Fatalf("loaded %q, %v", got, err)
	}
	raw, _ := m.Get("hubgate:tls:v:certificates/ca/www/www.key")
	if bytes.Contains([]byte(raw), secret) {
		t.Error("the private key is unencrypted in Redis")
	}
	m.Set("hubgate:tls:v:certificates/ca/evil/evil.key", raw)
	if _, err := s.Load(ctx, "certificates/ca/evil/evil.key"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a value was accepted under another key: %v", err)
	}
}

func TestStoreListsAndDeletesFolders(t *testing.T) {
	t.Parallel()
	s, _ := testStore(t)
	ctx := t.Context()
	for _, key := range []string{"c/a/1", "c/a/2", "c/b", "c", "ca/1"} {
		if err := s.Store(ctx, key, []byte(key)); err != nil {
			t.Fatal(err)
		}
	}
	list := func(folder string, recursive bool) []string {
		keys, err := s.List(ctx, folder, recursive)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		slices.Sort(keys)
		return keys
	}
	if d := cmp.Diff([]string{"c/a", "c/b"}, list("c", false)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"c/a/1", "c/a/2", "c/b"}, list("c", true)); d != "" {
		t.Error(d)
	}
	if info, err := s.Stat(ctx, "c/a"); err != nil || info.IsTerminal {
		t.Errorf("a folder is %+v, %v", info, err)
	}
	if err := s.Delete(ctx, "c/a"); err != nil {
		t.Fatal(err)
	}
	if s.Exists(ctx, "c/a") || s.Exists(ctx, "c/a/1") || !s.Exists(ctx, "c/b") || !s.Exists(ctx, "ca") {
		t.Error("wrong keys deleted")
	}
}

func TestStoreReseals(t *testing.T) {
	t.Parallel()
	older, newer := seal.NewKey(), seal.NewKey()
	s, m := testStore(t, older)
	if err := s.Store(t.Context(), "k", []byte("v")); err != nil {
		t.Fatal(err)
	}
	if err := s.ring.Set(newer, older); err != nil {
		t.Fatal(err)
	}
	before, _ := m.Get("hubgate:tls:v:k")
	if _, err := s.Load(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	if after, _ := m.Get("hubgate:tls:v:k"); after == before {
		t.Error("still sealed with the older key")
	}
	if err := s.ring.Set(newer); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(t.Context(), "k"); err != nil {
		t.Errorf("without the older key: %v", err)
	}
}

func TestLockHasOneHolder(t *testing.T) {
	t.Parallel()
	one, m := testStore(t)
	two := newStore(one.redis, "hubgate:", one.ring)
	ctx := t.Context()
	if err := one.Lock(ctx, "order"); err != nil {
		t.Fatal(err)
	}
	if err := two.Unlock(ctx, "order"); err == nil {
		t.Error("released another holder's lock")
	}
	got := make(chan error, 1)
	go func() { got <- two.Lock(ctx, "order") }()
	select {
	case <-got:
		t.Fatal("two holders")
	default:
	}
	if err := one.Unlock(ctx, "order"); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Fatal(err)
	}
	m.FastForward(lockTime) // the second holder was killed
	if err := one.Lock(ctx, "order"); err != nil {
		t.Errorf("the lock of a killed holder did not expire: %v", err)
	}
}

func TestOversizedValueIsNotThere(t *testing.T) {
	t.Parallel()
	s, m := testStore(t, seal.NewKey())
	if err := s.Store(t.Context(), "k", []byte("private")); err != nil {
		t.Fatal(err)
	}
	genuine, _ := m.Get(s.value("k"))
	largest := strings.Repeat("x", maxValue)
	for name, value := range map[string]string{"junk": largest + "x", "a value with a tail": genuine + largest} {
		m.Set(s.value("k"), value)
		if _, err := s.Load(t.Context(), "k"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	m.Set(s.value("k"), genuine)
	if got, err := s.Load(t.Context(), "k"); err != nil || string(got) != "private" {
		t.Errorf("the genuine value: %q, %v", got, err)
	}
}
