package broadcast_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/broadcast"
	"github.com/hubgate/hubgate/internal/faultproxy"
)

// subscriber is a Subscription that runs behind a fault proxy.
type subscriber struct {
	t        *testing.T
	redis    *miniredis.Miniredis
	proxy    *faultproxy.Proxy
	up       atomic.Bool
	messages chan string
	*broadcast.Subscription

	mu  sync.Mutex
	log bytes.Buffer
}

// Write appends to the log.
func (s *subscriber) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(line)
}

func (s *subscriber) logged() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

func subscribe(t *testing.T) *subscriber {
	t.Helper()
	s := &subscriber{t: t, redis: miniredis.RunT(t), messages: make(chan string, 10)}
	var err error
	if s.proxy, err = faultproxy.New(s.redis.Addr()); err != nil {
		t.Fatal(err)
	}
	rdb := redis.NewClient(&redis.Options{Addr: s.proxy.Addr(), MaxRetries: -1})
	s.Subscription = &broadcast.Subscription{
		Redis: rdb, Channel: "news", OnUp: func() { s.up.Store(true) }, OnDown: func() { s.up.Store(false) },
		OnMessage: func(payload string) { s.messages <- payload }, Effect: "news are late",
		Log: slog.New(slog.NewTextHandler(s, nil)), Now: time.Now,
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Loop(ctx) }()
	t.Cleanup(func() { cancel(); <-done; rdb.Close(); s.proxy.Close() })
	return s
}

// eventually waits for a condition, which other goroutines and sockets bring about.
func (s *subscriber) eventually(what string, done func() bool) {
	s.t.Helper()
	limit := time.After(30 * time.Second)
	for tick := time.NewTicker(5 * time.Millisecond); !done(); {
		select {
		case <-tick.C:
		case <-limit:
			s.t.Fatalf("never: %s", what)
		}
	}
}

func TestSubscriptionReportsInterruptions(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]faultproxy.Fault{
		"refused":   {Refuse: true},
		"half-open": {HalfOpen: true},
		"hanging":   {Hang: true},
		"garbage":   {Garbage: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := subscribe(t)
			s.eventually("subscribed", s.up.Load)
			if !s.DownSince().IsZero() {
				t.Error("it is reported as interrupted before it is")
			}
			if err := s.proxy.Set(fault); err != nil {
				t.Fatal(err)
			}
			s.eventually("the interruption is detected", func() bool { return !s.up.Load() && !s.DownSince().IsZero() })
			if err := s.proxy.Set(faultproxy.Fault{}); err != nil {
				t.Fatal(err)
			}
			s.eventually("the subscription is back", func() bool { return s.up.Load() && s.DownSince().IsZero() })
			if n := s.redis.Publish("news", "first"); n != 1 {
				t.Errorf("%d receivers", n)
			}
			if got := <-s.messages; got != "first" {
				t.Errorf("received %q", got)
			}
		})
	}
}

func TestSubscriptionLogsInterruptionOnce(t *testing.T) {
	t.Parallel()
	s := subscribe(t)
	s.eventually("subscribed", s.up.Load)
	if err := s.proxy.Set(faultproxy.Fault{Refuse: true}); err != nil {
		t.Fatal(err)
	}
	s.eventually("interrupted", func() bool { return !s.DownSince().IsZero() })
	since, before := s.DownSince(), s.proxy.Accepted()
	if err := s.proxy.Set(faultproxy.Fault{Garbage: true}); err != nil { // a second failure of the same interruption
		t.Fatal(err)
	}
	s.eventually("two attempts", func() bool { return s.proxy.Accepted() > before+1 })
	if at := s.DownSince(); !at.Equal(since) {
		t.Errorf("interrupted since %v, not %v", at, since)
	}
	if err := s.proxy.Set(faultproxy.Fault{}); err != nil {
		t.Fatal(err)
	}
	s.eventually("back", func() bool { return strings.Contains(s.logged(), `msg="the subscription to redis is back"`) })
	log := s.logged()
	if strings.Count(log, `msg="the subscription to redis is interrupted: news are late"`) != 1 ||
		strings.Count(log, "\n") != 2 {
		t.Errorf("log:\n%s", log)
	}
}
