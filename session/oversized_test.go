package session

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/lease"
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

// oversized is longer than anything that hubgate writes.
var oversized = strings.Repeat("x", 8<<20)

// oversizedValues are values that are longer than hubgate's, and what reads them.
var oversizedValues = map[string]struct {
	spoil  func(w *world, m *Manager, ref string)
	use    func(w *world, m *Manager, cookie *http.Cookie, ref string) string
	want   string
	counts bool
}{
	"junk record": {
		spoil: func(w *world, m *Manager, ref string) { w.redis.Set(m.store.keys.record(ref), oversized) },
		use:   visit, want: string(RecordMissing), counts: true,
	},
	"record with a tail": {
		spoil: func(w *world, m *Manager, ref string) {
			record, _ := w.redis.Get(m.store.keys.record(ref))
			w.redis.Set(m.store.keys.record(ref), record+oversized)
		},
		use: visit, want: string(RecordMissing), counts: true,
	},
	"record of one byte too many": {
		spoil: func(w *world, m *Manager, ref string) { w.redis.Set(m.store.keys.record(ref), oversized[:maxStored+1]) },
		use:   visit, want: string(RecordMissing), counts: true,
	},
	"summary in Load":   {spoil: spoilSummary, use: visit},
	"summary in List":   {spoil: spoilSummary, use: listSpoiled, counts: true},
	"summary in EndRef": {spoil: spoilSummary, use: endSpoiled},
	"lease": {
		spoil: func(w *world, m *Manager, ref string) { w.redis.Set(m.store.keys.lease(ref), oversized) },
		use:   acquireSpoiled,
	},
}

func spoilSummary(w *world, m *Manager, ref string) {
	w.redis.Set(m.store.keys.summary(ref), oversized)
}

func listSpoiled(w *world, m *Manager, _ *http.Cookie, _ string) string {
	if list, err := m.List(w.t.Context(), Query{Limit: 10}); err != nil || len(list.Sessions) != 0 {
		return "listed"
	}
	return ""
}

func endSpoiled(w *world, m *Manager, _ *http.Cookie, ref string) string {
	existed, err := m.EndRef(w.t.Context(), ref)
	if err != nil || !existed || w.redis.Exists(m.store.keys.record(ref)) {
		return "not ended"
	}
	return ""
}

func acquireSpoiled(w *world, m *Manager, _ *http.Cookie, ref string) string {
	l := lease.Lease{Redis: m.deps.Redis, Key: m.store.keys.lease(ref), Token: "t", TTL: leaseTime}
	if _, err := l.Acquire(w.t.Context()); err != nil {
		return err.Error()
	}
	return ""
}

func TestOversizedValueIsNotReadWhole(t *testing.T) {
	t.Parallel()
	for name, c := range oversizedValues {
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
