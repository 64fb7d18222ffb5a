package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/lease"
	"github.com/hubgate/hubgate/internal/redisread"
)

// Anyone who can write to Redis must not be able to fill the memory of the replicas (CWE-770).

// metered is a connection that counts the bytes from Redis.
type metered struct {
	net.Conn
	read *atomic.Int64
}

func (c metered) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.Add(int64(n))
	return n, err
}

// metered returns a replica that counts what it reads.
func (w *world) metered() (*Manager, *atomic.Int64) {
	w.t.Helper()
	read := &atomic.Int64{}
	rdb := redis.NewClient(&redis.Options{
		Addr: w.redis.Addr(), MaxRetries: -1,
		Dialer: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
			return metered{conn, read}, err
		},
	})
	w.t.Cleanup(func() { rdb.Close() })
	m, err := New(w.cfg, Deps{
		Redis: rdb, Block: rdb, Ring: w.ring, Log: slog.New(slog.DiscardHandler),
		Metrics: NewMetrics(prometheus.NewRegistry()), Now: w.clock.Now,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	m.Set(Settings{Config: w.cfg, Issuer: issuer, ClientID: clientID})
	return m, read
}

func TestOversizedValueIsNotReadWhole(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat("x", 8<<20)
	for name, c := range map[string]struct {
		spoil  func(w *world, m *Manager, ref string)
		use    func(w *world, m *Manager, cookie *http.Cookie, ref string) string
		want   string
		counts bool
	}{
		"junk record": {
			spoil: func(w *world, m *Manager, ref string) { w.redis.Set(m.store.keys.record(ref), huge) },
			use:   visit, want: string(RecordMissing), counts: true,
		},
		"record with a tail": {
			spoil: func(w *world, m *Manager, ref string) {
				record, _ := w.redis.Get(m.store.keys.record(ref))
				w.redis.Set(m.store.keys.record(ref), record+huge)
			},
			use: visit, want: string(RecordMissing), counts: true,
		},
		"record of one byte too many": {
			spoil: func(w *world, m *Manager, ref string) { w.redis.Set(m.store.keys.record(ref), huge[:maxStored+1]) },
			use:   visit, want: string(RecordMissing), counts: true,
		},
		"summary in Load": {
			spoil: func(w *world, m *Manager, ref string) { w.redis.Set(m.store.keys.summary(ref), huge) },
			use:   visit, want: "",
		},
		"summary in List": {
			spoil: func(w *world, m *Manager, ref string) { w.redis.Set(m.store.keys.summary(ref), huge) },
			use: func(w *world, m *Manager, _ *http.Cookie, _ string) string {
				if list, err := m.List(w.t.Context(), Query{Limit: 10}); err != nil || len(list.Sessions) != 0 {
					return "listed"
				}
				return ""
			},
			counts: true,
		},
		"summary in EndRef": {
			spoil: func(w *world, m *Manager, ref string) { w.redis.Set(m.store.keys.summary(ref), huge) },
			use: func(w *world, m *Manager, _ *http.Cookie, ref string) string {
				existed, err := m.EndRef(w.t.Context(), ref)
				if err != nil || !existed || w.redis.Exists(m.store.keys.record(ref)) {
					return "not ended"
				}
				return ""
			},
		},
		"lease": {
			spoil: func(w *world, m *Manager, ref string) { w.redis.Set(m.store.keys.lease(ref), huge) },
			use: func(w *world, m *Manager, _ *http.Cookie, ref string) string {
				l := lease.Lease{Redis: m.deps.Redis, Key: m.store.keys.lease(ref), Token: "t", TTL: leaseTime}
				if _, err := l.Acquire(w.t.Context()); err != nil {
					return err.Error()
				}
				return ""
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			m, read := w.metered()
			cookie, s := w.login(m, ada())
			c.spoil(w, m, s.Ref)
			before := read.Load()
			if got := c.use(w, m, cookie, s.Ref); got != c.want {
				t.Errorf("%q instead of %q", got, c.want)
			}
			if n := read.Load() - before; n > 4*maxStored {
				t.Errorf("%d bytes were read", n)
			}
			if n := testutil.ToFloat64(m.deps.Metrics.unreadable); (n > 0) != c.counts {
				t.Errorf("%v counted as unreadable", n)
			}
		})
	}
}

func visit(w *world, m *Manager, cookie *http.Cookie, _ string) string {
	if _, err := m.Load(httptest.NewRecorder(), w.request(cookie)); err != nil {
		return w.reason(m, cookie)
	}
	return ""
}

func TestLargestRecordIsReadWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	s := ada()
	plain, err := encodeSession(&s)
	if err != nil {
		t.Fatal(err)
	}
	s.Name = strings.Repeat("x", maxRecord-len(plain)-200) // leaves room for times and lengths
	cookie, _ := w.login(m, s)
	if got := w.reason(w.replica(nil), cookie); got != "" {
		t.Errorf("%q", got)
	}
	if sealed := m.deps.Ring.Seal("record", make([]byte, maxRecord), nil); len(sealed)+versionSize > maxStored {
		t.Errorf("a record of the largest size has %d bytes", len(sealed)+versionSize)
	}
}

// Every reader of a list skips members that are longer than hubgate's.
func TestOversizedListMemberIsRemovedUnread(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat("x", 8<<20)
	endBy := func(end func(m *Manager, s *Session) (int, error)) func(*world, *Manager, *Session) {
		return func(w *world, m *Manager, s *Session) {
			n, err := end(m, s)
			for errors.Is(err, context.DeadlineExceeded) { // the machine is busy
				var more int
				more, err = end(m, s)
				n += more
			}
			if n != 1 || err != nil || w.redis.Exists(m.store.keys.record(s.Ref)) {
				w.t.Errorf("%d ended, %v", n, err)
			}
		}
	}
	list := func(q Query) func(*world, *Manager, *Session) {
		return func(w *world, m *Manager, s *Session) {
			if list, err := m.List(w.t.Context(), q); err != nil || len(list.Sessions) != 1 {
				w.t.Errorf("%d listed, %v", len(list.Sessions), err)
			}
		}
	}
	for name, use := range map[string]func(*world, *Manager, *Session){
		"end by user": endBy(func(m *Manager, s *Session) (int, error) {
			return m.EndUser(t.Context(), s.Issuer, s.Subject)
		}),
		"end by email":  endBy(func(m *Manager, s *Session) (int, error) { return m.EndByEmail(t.Context(), s.Email) }),
		"end by sid":    endBy(func(m *Manager, s *Session) (int, error) { return m.EndSID(t.Context(), s.Issuer, s.SID) }),
		"list":          list(Query{Limit: 1000}),
		"list by email": list(Query{Limit: 1, Email: "ada@example.com"}),
		"keys": func(w *world, m *Manager, _ *Session) {
			if keys, err := m.KeysInUse(w.t.Context()); err != nil || len(keys) != 1 {
				w.t.Errorf("%v, %v", keys, err)
			}
		},
	} {
		for where, score := range map[string]float64{"before": -1, "behind": 9e15} {
			t.Run(name+" "+where, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.t = t
				m, read := w.metered()
				login := ada()
				login.SID = "sid-1"
				_, s := w.login(m, login)
				keys := append(m.currentLists(s), m.store.keys.sealKeys())
				for _, key := range keys {
					if _, err := w.redis.ZAdd(key, score, huge); err != nil {
						t.Fatal(err)
					}
				}
				before := read.Load()
				use(w, m, s)
				if n := read.Load() - before; n > 4*maxStored {
					t.Errorf("%d bytes were read", n)
				}
				cleaned := 0
				for _, key := range keys {
					if members, _ := w.redis.ZMembers(key); !slices.Contains(members, huge) {
						cleaned++
					}
				}
				if cleaned == 0 && !(strings.HasPrefix(name, "list") && where == "before") {
					t.Error("not removed")
				}
			})
		}
	}
}

func TestEndByEmailSkipsOversizedMembers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m, _ := w.metered()
	w.crowd(m, redisread.PageSize+20)
	index := m.store.keys.email("ada@example.com")[0]
	for i := range 2*redisread.PageSize + 1 {
		if _, err := w.redis.ZAdd(index, float64(i), fmt.Sprintf("%0*d", 2*refSize+1, i)); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := m.EndByEmail(t.Context(), "ada@example.com"); n != redisread.PageSize+20 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if w.redis.Exists(index) {
		t.Error("the list still exists")
	}
}
