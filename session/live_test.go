package session

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/redis/go-redis/v9"
)

// liveMetric counts once and returns the metric.
func (w *world) liveMetric(m *Manager) float64 {
	w.t.Helper()
	m.countLiveOnce(w.t.Context())
	return testutil.ToFloat64(m.deps.Metrics.live)
}

func TestLiveSessionsAreCountedAlikeOnEveryReplica(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m, other := w.replica(nil), w.replica(nil)
	if got := testutil.ToFloat64(m.deps.Metrics.live); !math.IsNaN(got) {
		t.Errorf("before the first count: %v", got)
	}
	if got := w.liveMetric(m); got != 0 {
		t.Errorf("without a session: %v", got)
	}
	const people = 40 // in most of the shards
	var last *Session
	for range people {
		_, last = w.login(m, ada())
	}
	if a, b := w.liveMetric(m), w.liveMetric(other); a != people || b != people {
		t.Errorf("%v on one replica, %v on the other, want %d", a, b, people)
	}
	if ended, err := other.EndRef(t.Context(), last.Ref); !ended || err != nil {
		t.Fatal(ended, err)
	}
	if got := w.liveMetric(m); got != people-1 {
		t.Errorf("after the end of one: %v", got)
	}
	w.clock.mu.Lock()
	w.clock.now = w.clock.now.Add(w.cfg.Lifetime.D()) // the lists themselves live an hour longer
	w.clock.mu.Unlock()
	if got := w.liveMetric(m); got != 0 {
		t.Errorf("after their lifetime: %v", got)
	}
}

func TestLiveSessionsAreUnknownAfterAFailedCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	w.login(m, ada())
	if got := w.liveMetric(m); got != 1 {
		t.Fatalf("counted %v", got)
	}
	w.redis.SetError("LOADING")
	if got := w.liveMetric(m); !math.IsNaN(got) {
		t.Errorf("without Redis: %v", got)
	}
	w.redis.SetError("")
	if got := w.liveMetric(m); got != 1 {
		t.Errorf("with Redis again: %v", got)
	}
}

func TestLiveSessionsAreCountedBesideAKeyOfAnotherType(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	_, s := w.login(m, ada())
	for _, digit := range digits {
		if string(digit) != s.Ref[:1] {
			w.redis.Lpush(m.store.keys.shard(string(digit)), "not ours")
			break
		}
	}
	if got := w.liveMetric(m); got != 1 || testutil.ToFloat64(m.deps.Metrics.unreadable) != 1 {
		t.Errorf("counted %v", got)
	}
}

// counts answers the commands of a count without a network, and keeps when they came.
type counts struct {
	mu       sync.Mutex
	at       []time.Time
	commands int
	err      error
}

func (c *counts) DialHook(redis.DialHook) redis.DialHook {
	return func(context.Context, string, string) (net.Conn, error) { panic("it needs a connection") }
}
func (c *counts) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }
func (c *counts) ProcessPipelineHook(redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(_ context.Context, cmds []redis.Cmder) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.at, c.commands = append(c.at, time.Now()), len(cmds)
		for _, cmd := range cmds {
			cmd.(*redis.IntCmd).SetVal(2)
			cmd.SetErr(c.err)
		}
		return c.err
	}
}

// pass lets the bubble's time pass and returns how many counts there were.
func (c *counts) pass(d time.Duration, err error) int {
	c.mu.Lock()
	before := len(c.at)
	c.err = err
	c.mu.Unlock()
	<-time.After(d)
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.at) - before
}

func TestLiveSessionsAreCountedInOneRoundTripEvery30s(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rdb, answers := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"}), &counts{} // NewClient looks up names
		defer rdb.Close()
		rdb.AddHook(answers)
		m := &Manager{
			deps:  Deps{Metrics: NewMetrics(prometheus.NewRegistry())},
			store: &store{rdb: rdb, now: time.Now, log: slog.New(slog.DiscardHandler)},
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { m.countLive(ctx); close(done) }()
		synctest.Wait() // for the first count, at once
		first, later := len(answers.at), answers.pass(time.Minute+time.Second, nil)
		if first != 1 || later != 2 {
			t.Errorf("%d round trips at first, %d in the next minute", first, later)
		}
		if got := testutil.ToFloat64(m.deps.Metrics.live); answers.commands != 16 || got != 32 {
			t.Errorf("%d commands, counted %v", answers.commands, got)
		}
		down := errors.New("down")
		answers.pass(countEvery, down)
		if again := answers.pass(2*countRetry, down); again != 2 {
			t.Errorf("tried %d times in 10 s while Redis is down", again)
		}
		stop()
		<-done
	})
}
