package session

import (
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/realredis"
	"github.com/hubgate/hubgate/internal/seal"
)

// BenchmarkLoadAskingRedis loads with cache_ttl none, so that each request asks a real Redis.
func BenchmarkLoadAskingRedis(b *testing.B) {
	ring, err := seal.New(seal.NewKey())
	if err != nil {
		b.Fatal(err)
	}
	site, _ := inbound.ParseSite("https://www.example.com")
	rdb := redis.NewClient(&redis.Options{Addr: realredis.Start(b).Addr, PoolSize: 64})
	b.Cleanup(func() { rdb.Close() })
	cfg := DefaultConfig()
	cfg.CacheTTL = 0
	m, err := New(cfg, Deps{
		Redis: rdb, Block: rdb, Ring: ring, Log: slog.New(slog.DiscardHandler),
		Metrics: NewMetrics(prometheus.NewRegistry()), Now: time.Now,
	})
	if err != nil {
		b.Fatal(err)
	}
	m.Set(Settings{Config: cfg, Issuer: issuer, ClientID: clientID})
	w := &world{site: site}
	s := ada()
	s.Tokens.Access = strings.Repeat("a", 3000)
	rec := httptest.NewRecorder()
	if _, err := m.Start(rec, w.request(), s); err != nil {
		b.Fatal(err)
	}
	cookie := rec.Result().Cookies()[0]
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := m.Peek(w.request(cookie)); err != nil {
				b.Error(err)
			}
		}
	})
}
