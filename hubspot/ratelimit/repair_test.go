package ratelimit

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/realredis"
	"github.com/hubgate/hubgate/internal/setting"
)

// fixture is the limit of ten calls in ten seconds, in a Redis.
type fixture struct {
	*Limits
	t   *testing.T
	rdb redis.UniversalClient
}

// onBoth runs a test with a Redis in memory, and with a redis-server, whose scripts and types are the real ones.
func onBoth(t *testing.T, test func(f *fixture)) {
	t.Helper()
	run := func(name string, start func(t *testing.T) string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rdb := redis.NewClient(&redis.Options{Addr: start(t)})
			t.Cleanup(func() { rdb.Close() })
			f := &fixture{New(Deps{Redis: rdb, KeyPrefix: "hubgate:", Now: time.Now}), t, rdb}
			f.Set(setting.Rate{Requests: 10, Per: setting.Duration(10 * time.Second)})
			f.Reserve(true)
			test(f)
		})
	}
	run("in memory", func(t *testing.T) string { return miniredis.RunT(t).Addr() })
	run("redis-server", func(t *testing.T) string { return realredis.Start(t).Addr })
}

func (f *fixture) check(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// begin begins n calls of a class.
func (f *fixture) begin(l *Limiter, n int) (permits []string) {
	f.t.Helper()
	for range n {
		permit := rand.Text()
		if wait, err := l.tryAcquire(f.t.Context(), permit); err != nil || wait != 0 {
			f.t.Fatalf("no permit: %s, %v", wait, err)
		}
		permits = append(permits, permit)
	}
	return permits
}

// call makes n calls of a class, after which HubSpot reports how many are left.
func (f *fixture) call(l *Limiter, n int, left string) {
	f.t.Helper()
	for _, permit := range f.begin(l, n) {
		l.Done(permit, http.Header{"X-Hubspot-Ratelimit-Remaining": {left}})
	}
}

// pass lets time pass, as the limit sees it: all that it keeps is that much older. A negative time is a clock that goes
// back.
func (f *fixture) pass(d time.Duration) {
	f.t.Helper()
	ctx := f.t.Context()
	for _, calls := range []string{f.keys.budget, f.keys.others} {
		members, err := f.rdb.ZRangeWithScores(ctx, calls, 0, -1).Result()
		f.check(err)
		for _, m := range members {
			f.check(f.rdb.ZAdd(ctx, calls, redis.Z{Score: m.Score - float64(d.Milliseconds()), Member: m.Member}).Err())
		}
	}
	for _, pause := range []string{f.keys.pause, f.keys.pauseSync} {
		left, err := f.rdb.PTTL(ctx, pause).Result()
		f.check(err)
		if left > 0 {
			f.check(f.rdb.PExpire(ctx, pause, left-d).Err()) // deletes it if the time is over
		}
	}
}

// granted returns which classes get a permit now.
func (f *fixture) granted() (names []string) {
	f.t.Helper()
	for name, l := range map[string]*Limiter{"visitors": f.Visitors, "spare": f.Spare, "sync": f.Sync} {
		wait, err := l.tryAcquire(f.t.Context(), name)
		if err != nil || wait > 0 {
			f.t.Logf("%s: %v, %v", name, wait, err)
			continue
		}
		names = append(names, name)
	}
	return names
}

// heals fails the test unless all classes get permits when a window and the longest call have passed since now.
func (f *fixture) heals() {
	f.t.Helper()
	f.granted()
	if _, _, err := f.Paused(f.t.Context()); err != nil {
		f.t.Error(err)
	}
	f.pass(longestCall + hubspotWindow + time.Second)
	if reason, left, err := f.Paused(f.t.Context()); err != nil || left > 0 {
		f.t.Errorf("paused for %s: %q, %v", left, reason, err)
	}
	if n, err := f.Left(f.t.Context()); err != nil || n < 0 || n > 10 {
		f.t.Errorf("left: %d, %v", n, err)
	}
	if names := f.granted(); len(names) != 3 {
		f.t.Errorf("only %v get permits", names)
	}
	f.call(f.Visitors, 1, "7")
	if n, err := f.Left(f.t.Context()); err != nil || n != 7 {
		f.t.Errorf("left after a call: %d, %v", n, err)
	}
}

func TestLimitHealsAfterRedisClockGoesBack(t *testing.T) {
	t.Parallel()
	for _, back := range []time.Duration{20 * time.Second, 10 * time.Minute, 365 * 24 * time.Hour} {
		t.Run(back.String(), func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(f *fixture) {
				f.call(f.Sync, 8, "2")
				f.call(f.Visitors, 1, "1")
				f.call(f.Visitors, 1, "0") // which pauses all
				f.check(f.PauseSync(f.t.Context(), "503 UNAVAILABLE", 30*time.Second))
				f.pass(-back)
				f.heals()
			})
		})
	}
}

func TestCallsInFlightCountAfterRedisClockGoesBack(t *testing.T) {
	t.Parallel()
	onBoth(t, func(f *fixture) {
		f.begin(f.Visitors, 10)
		f.pass(-time.Hour)
		for range 2 {
			if names := f.granted(); len(names) > 0 {
				f.t.Errorf("%v get permits while ten calls are in flight", names)
			}
			f.pass(longestCall)
		}
	})
}

// scores writes calls that end at a time.
func (f *fixture) scores(key string, n int, at float64) {
	f.t.Helper()
	for i := range n {
		f.check(f.rdb.ZAdd(f.t.Context(), key, redis.Z{Score: at, Member: fmt.Sprint(i)}).Err())
	}
}

func TestLimitHealsAfterForeignWrites(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	damages := map[string]func(ctx context.Context, f *fixture){
		"text under the calls": func(ctx context.Context, f *fixture) {
			f.check(f.rdb.Set(ctx, f.keys.budget, "x", 0).Err())
		},
		"a list under the others": func(ctx context.Context, f *fixture) {
			f.check(f.rdb.RPush(ctx, f.keys.others, "x").Err())
		},
		"late calls":        func(_ context.Context, f *fixture) { f.scores(f.keys.budget, 1000, 9e15) },
		"calls without end": func(ctx context.Context, f *fixture) { f.infinite(ctx) },
		"a hash under the number": func(ctx context.Context, f *fixture) {
			f.check(f.rdb.HSet(ctx, f.keys.left, "a", "b").Err())
		},
		"no number": func(ctx context.Context, f *fixture) { f.check(f.rdb.Set(ctx, f.keys.left, "x", 0).Err()) },
		"a negative number": func(ctx context.Context, f *fixture) {
			f.check(f.rdb.Set(ctx, f.keys.left, "-5", 0).Err())
		},
		"a set under the pauses": func(ctx context.Context, f *fixture) {
			for _, key := range []string{f.keys.pause, f.keys.pauseSync} {
				f.check(f.rdb.SAdd(ctx, key, "x").Err())
				f.check(f.rdb.PExpire(ctx, key, year).Err())
			}
		},
		"pauses of a year":     func(ctx context.Context, f *fixture) { f.pauses(ctx, "x", year) },
		"pauses that say more": func(ctx context.Context, f *fixture) { f.pauses(ctx, "99999999999ms x", year) },
		"older pauses":         func(ctx context.Context, f *fixture) { f.pauses(ctx, "503 UNAVAILABLE", 10*time.Minute) },
		"pauses without end":   func(ctx context.Context, f *fixture) { f.pauses(ctx, "10000ms x", 0) },
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(f *fixture) {
				damage(f.t.Context(), f)
				f.heals()
			})
		})
	}
}

// pauses writes both pauses.
func (f *fixture) pauses(ctx context.Context, value string, ttl time.Duration) {
	f.t.Helper()
	f.check(f.rdb.Set(ctx, f.keys.pause, value, ttl).Err())
	f.check(f.rdb.Set(ctx, f.keys.pauseSync, value, ttl).Err())
}

// infinite writes calls that never end.
func (f *fixture) infinite(ctx context.Context) {
	f.t.Helper()
	for i := range 20 {
		f.check(f.rdb.Do(ctx, "zadd", f.keys.others, "+inf", fmt.Sprint(i)).Err())
	}
}

func TestPauseLastsAsLongAsItSays(t *testing.T) {
	t.Parallel()
	onBoth(t, func(f *fixture) {
		f.pauses(f.t.Context(), "x", 365*24*time.Hour) // must not shadow the real one
		f.check(f.PauseAll(f.t.Context(), "429: the daily limit", 15*time.Minute))
		f.check(f.PauseAll(f.t.Context(), "429: a shorter one", time.Minute))
		f.pass(14 * time.Minute)
		reason, left, err := f.Paused(f.t.Context())
		if err != nil || reason != "429: the daily limit" || left <= 0 || left > time.Minute {
			f.t.Errorf("%q for %s, %v", reason, left, err)
		}
		f.pass(time.Minute)
		if names := f.granted(); len(names) != 3 {
			f.t.Errorf("only %v get permits after the pause", names)
		}
	})
}
