package session

import (
	"errors"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/faultproxy"
)

// behind returns a replica whose subscription goes through a fault proxy. Its other commands reach Redis directly.
func (w *world) behind(p *faultproxy.Proxy) *Manager {
	w.t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: w.redis.Addr(), MaxRetries: -1})
	block := redis.NewClient(&redis.Options{Addr: p.Addr(), MaxRetries: -1})
	w.t.Cleanup(func() { rdb.Close(); block.Close() })
	m, err := New(w.cfg, Deps{
		Redis: rdb, Block: block, Ring: w.ring, Log: slog.New(slog.DiscardHandler),
		Metrics: NewMetrics(prometheus.NewRegistry()), Now: w.clock.Now,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	m.Set(Settings{Config: w.cfg, Issuer: issuer, ClientID: clientID})
	return m
}

func TestEndIsNotMissedWhileTheSubscriptionFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.CacheTTL = minutesOrNone(60) // longer than the test: only the subscription's state may end the trust
	p, err := faultproxy.New(w.redis.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	isolated, other := w.behind(p), w.replica(nil)
	w.subscribed(isolated)
	cookie, _ := w.login(other, ada())
	w.mustLoad(isolated, cookie)
	if err := p.Set(faultproxy.Fault{HalfOpen: true}); err != nil {
		t.Fatal(err)
	}
	w.eventually("the interruption is detected", func() bool { return isolated.cache.epoch.current() == 0 })
	other.End(httptest.NewRecorder(), w.request(cookie))
	if got := w.reason(isolated, cookie); got != string(RecordMissing) {
		t.Errorf("an ended session: %q", got)
	}
	if err := p.Set(faultproxy.Fault{}); err != nil {
		t.Fatal(err)
	}
	w.eventually("the subscription is back", func() bool { return isolated.cache.epoch.current() != 0 })
}

func TestResubscribeNotifiesOpenConnections(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.CacheTTL = minutesOrNone(60)
	p, err := faultproxy.New(w.redis.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	isolated, other := w.behind(p), w.replica(nil)
	w.subscribed(isolated)
	cookie, s := w.login(other, ada())
	w.mustLoad(isolated, cookie)
	w.eventually("the first subscription has been handled", func() bool { return !isolated.watchers.Resuming() })
	if err := p.Set(faultproxy.Fault{Refuse: true}); err != nil {
		t.Fatal(err)
	}
	w.eventually("the interruption is detected", func() bool { return isolated.cache.epoch.current() == 0 })
	ended, release := isolated.Ended(s.Ref) // an open WebSocket
	defer release()
	other.End(httptest.NewRecorder(), w.request(cookie))
	if err := p.Set(faultproxy.Fault{}); err != nil {
		t.Fatal(err)
	}
	w.eventually("the WebSocket is notified", func() bool {
		select {
		case <-ended:
			return true
		default:
			return false
		}
	})
	if _, err := isolated.Peek(w.request(cookie)); !errors.Is(err, ErrNoSession) {
		t.Errorf("the ended session: %v", err)
	}
}

func TestConfirmedWithinOutageGrace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	cookie, s := w.login(m, ada())
	if m.Confirmed(s.Ref) {
		t.Error("confirmed, although Redis was not asked")
	}
	if got := w.reason(m, cookie); got != "" || !m.Confirmed(s.Ref) {
		t.Errorf("read from Redis: %q", got)
	}
	w.clock.pass(w.cfg.OutageGrace.D() - time.Second)
	if !m.Confirmed(s.Ref) {
		t.Error("within outage_grace")
	}
	w.clock.pass(time.Second)
	if m.Confirmed(s.Ref) {
		t.Error("after outage_grace")
	}
}
