package certs

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/lease"
	"github.com/hubgate/hubgate/internal/seal"
)

// store is certmagic's storage in Redis: all replicas serve the certificates that one obtains, and any replica answers
// a challenge. Every value is sealed and bound to its key, because private keys are among them.
//
//	P tls:v:KEY   value: 8 bytes of time (Unix milliseconds), then the sealed text
//	P tls:keys    zset of all keys, all scores 0: lists by range, without a scan of the key space
//	P tls:l:NAME  lock: a lease of 30 s, renewed while it is held
type store struct {
	redis  redis.UniversalClient
	prefix string
	ring   *seal.Ring

	mu    sync.Mutex
	locks map[string]lock
}

type lock struct {
	lease lease.Lease
	stop  func() // ends its renewal
}

const (
	lockTime  = 30 * time.Second
	lockRetry = 500 * time.Millisecond
)

// maxValue bounds what is read of a value. Otherwise anyone who can write to Redis could fill the memory of every
// replica (CWE-770). A key with its chain has about 10 KiB.
const maxValue = 1 << 20

func newStore(rdb redis.UniversalClient, prefix string, ring *seal.Ring) *store {
	return &store{redis: rdb, prefix: prefix + "tls:", ring: ring, locks: map[string]lock{}}
}

func (s *store) value(key string) string { return s.prefix + "v:" + key }
func (s *store) index() string           { return s.prefix + "keys" }

// Store writes a value. It writes the index entry first: an entry without a value counts as absent, but a value without
// an entry would be lost.
func (s *store) Store(ctx context.Context, key string, value []byte) error {
	stamped := binary.BigEndian.AppendUint64(nil, uint64(time.Now().UnixMilli()))
	stamped = append(stamped, s.ring.Seal(seal.Certificate, value, []byte(key))...)
	if err := s.redis.ZAdd(ctx, s.index(), redis.Z{Member: key}).Err(); err != nil {
		return fmt.Errorf("certs: store: %w", err)
	}
	if err := s.redis.Set(ctx, s.value(key), stamped, 0).Err(); err != nil {
		return fmt.Errorf("certs: store: %w", err)
	}
	return nil
}

// Load returns a value. A value that cannot be opened (sealed by another installation) counts as absent and is obtained
// again.
func (s *store) Load(ctx context.Context, key string) ([]byte, error) {
	value, _, err := s.read(ctx, key)
	return value, err
}

func (s *store) read(ctx context.Context, key string) ([]byte, time.Time, error) {
	stamped, err := s.redis.GetRange(ctx, s.value(key), 0, maxValue).Bytes() // absent: empty
	if err == nil && (len(stamped) < 8 || len(stamped) > maxValue) {
		return nil, time.Time{}, fs.ErrNotExist
	}
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("certs: load: %w", err)
	}
	value, err := s.ring.Open(seal.Certificate, stamped[8:], []byte(key))
	if err != nil {
		return nil, time.Time{}, fs.ErrNotExist
	}
	if s.ring.Stale(stamped[8:]) { // sealed with an older key: reseal it, so that the key can be removed
		if err := s.Store(ctx, key, value); err != nil {
			return nil, time.Time{}, err
		}
	}
	return value, time.UnixMilli(int64(binary.BigEndian.Uint64(stamped))), nil
}

// Delete deletes a key, or a folder with everything in it.
func (s *store) Delete(ctx context.Context, key string) error {
	keys, err := s.List(ctx, key, true)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, k := range append(keys, key) {
		if err := s.redis.Del(ctx, s.value(k)).Err(); err != nil {
			return fmt.Errorf("certs: delete: %w", err)
		}
		if err := s.redis.ZRem(ctx, s.index(), k).Err(); err != nil {
			return fmt.Errorf("certs: delete: %w", err)
		}
	}
	return nil
}

// Exists reports whether a key or folder exists.
func (s *store) Exists(ctx context.Context, key string) bool {
	if n, err := s.redis.Exists(ctx, s.value(key)).Result(); err == nil && n > 0 {
		return true
	}
	keys, err := s.List(ctx, key, false)
	return err == nil && len(keys) > 0
}

// List returns the files below a folder if recursive, otherwise its direct entries, folders included.
func (s *store) List(ctx context.Context, folder string, recursive bool) ([]string, error) {
	below := strings.TrimSuffix(folder, "/") + "/"
	if folder == "" {
		below = ""
	}
	query := &redis.ZRangeBy{Min: "-", Max: "+"}
	if below != "" {
		query = &redis.ZRangeBy{Min: "[" + below, Max: "(" + below + "\xff"}
	}
	files, err := s.redis.ZRangeByLex(ctx, s.index(), query).Result()
	if err != nil {
		return nil, fmt.Errorf("certs: list: %w", err)
	}
	if len(files) == 0 {
		return nil, fs.ErrNotExist
	}
	if recursive {
		return files, nil
	}
	var entries []string
	for _, file := range files {
		first, _, _ := strings.Cut(strings.TrimPrefix(file, below), "/")
		if entry := path.Join(folder, first); !slices.Contains(entries, entry) {
			entries = append(entries, entry)
		}
	}
	return entries, nil
}

// Stat returns the length and the time of a key.
func (s *store) Stat(ctx context.Context, key string) (certmagic.KeyInfo, error) {
	value, modified, err := s.read(ctx, key)
	if err == nil {
		return certmagic.KeyInfo{Key: key, Modified: modified, Size: int64(len(value)), IsTerminal: true}, nil
	}
	if errors.Is(err, fs.ErrNotExist) && s.Exists(ctx, key) {
		return certmagic.KeyInfo{Key: key}, nil
	}
	return certmagic.KeyInfo{}, err
}

// Lock waits until this process holds the lock. The lock is renewed until Unlock, so that a slow order keeps it; after
// a crash it expires.
func (s *store) Lock(ctx context.Context, name string) error {
	l := lease.Lease{Redis: s.redis, Key: s.prefix + "l:" + name, Token: rand.Text(), TTL: lockTime}
	for {
		acquired, err := l.Acquire(ctx)
		if err != nil {
			return fmt.Errorf("certs: lock: %w", err)
		}
		if acquired {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.locks[name] = lock{l, l.KeepAlive(ctx)}
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lockRetry):
		}
	}
}

// Unlock releases the lock.
func (s *store) Unlock(ctx context.Context, name string) error {
	s.mu.Lock()
	held, ok := s.locks[name]
	delete(s.locks, name)
	s.mu.Unlock()
	if !ok {
		return fmt.Errorf("certs: unlock %s: not locked by this process", name)
	}
	held.stop()
	if err := held.lease.Release(ctx); err != nil {
		return fmt.Errorf("certs: unlock: %w", err)
	}
	return nil
}
