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

// behind makes a replica whose subscription alone passes a proxy of faults: it reaches Redis, and hears what the proxy lets through.
func (w *world) behind(p *faultproxy.Proxy) *Manager {
	w.t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: w.redis.Addr(), MaxRetries: -1})
	block := redis.NewClient(&redis.Options{Addr: p.Addr(), MaxRetries: -1})
	w.t.Cleanup(func() { rdb.Close(); block.Close() })
	m, err := New(w.cfg, Deps{
		Redis: rdb, Block: block, Ring: w.ring, Log: slog.New(slog.DiscardHandler), Metrics: NewMetrics(prometheus.NewRegistry()), Now: w.clock.Now,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	m.Set(Settings{Config: w.cfg, Issuer: issuer, ClientID: clientID})
	return m
}

func TestAnEndingIsNotMissedWhateverBefallsTheSubscription(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]faultproxy.Fault{
		"refused":   {Refuse: true},
		"half-open": {HalfOpen: true},
		"hanging":   {Hang: true},
		"garbage":   {Garbage: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.cfg.CacheTTL = minutesOrNone(60) // far longer than the test: only the subscription's state may take the trust away
			p, err := faultproxy.New(w.redis.Addr())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { p.Close() })
			deaf, other := w.behind(p), w.replica(nil)
			w.subscribed(deaf)
			cookie, _ := w.login(other, ada())
			if got := w.reason(deaf, cookie); got != "" {
				t.Fatal(got)
			}
			if err := p.Set(fault); err != nil {
				t.Fatal(err)
			}
			w.eventually("the interruption is noticed", func() bool { return deaf.cache.epoch.current() == 0 })
			other.End(httptest.NewRecorder(), w.request(cookie))
			if got := w.reason(deaf, cookie); got != string(RecordMissing) {
				t.Errorf("an ended session: %q", got)
			}
			if err := p.Set(faultproxy.Fault{}); err != nil {
				t.Fatal(err)
			}
			w.eventually("the subscription is back", func() bool { return deaf.cache.epoch.current() != 0 })
		})
	}
}

func TestWhatEndedUnheardIsAskedAboutOnceTheSubscriptionIsBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.CacheTTL = minutesOrNone(60)
	p, err := faultproxy.New(w.redis.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	deaf, other := w.behind(p), w.replica(nil)
	w.subscribed(deaf)
	cookie, s := w.login(other, ada())
	if got := w.reason(deaf, cookie); got != "" {
		t.Fatal(got)
	}
	w.eventually("nobody is to be woken for the first subscription", func() bool { return len(deaf.watchers.resumed) == 0 })
	if err := p.Set(faultproxy.Fault{Refuse: true}); err != nil {
		t.Fatal(err)
	}
	w.eventually("the interruption is noticed", func() bool { return deaf.cache.epoch.current() == 0 })
	ended, release := deaf.Ended(s.Ref) // an open WebSocket
	defer release()
	other.End(httptest.NewRecorder(), w.request(cookie))
	if err := p.Set(faultproxy.Fault{}); err != nil {
		t.Fatal(err)
	}
	w.eventually("the WebSocket is told to ask", func() bool {
		select {
		case <-ended:
			return true
		default:
			return false
		}
	})
	if _, err := deaf.Peek(w.request(cookie)); !errors.Is(err, ErrNoSession) {
		t.Errorf("it asks, and hears %v", err)
	}
}

func TestAnOpenConnectionOutlivesAnOutageWithinOutageGrace(t *testing.T) {
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
