package gateway

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/faultproxy"
	"github.com/hubgate/hubgate/internal/redisclient"
)

// A visitor who has callbacks delivered again and again makes hubgate give up on many commands: each time it is the
// callback's own limit that ends, or the browser that goes away, and Redis is well.
func TestBreakerOutlivesCallbacksThatAreCutOff(t *testing.T) {
	t.Parallel()
	for name, cutOff := range map[string]func(context.Context, redis.UniversalClient) error{
		"at their deadline": func(ctx context.Context, rdb redis.UniversalClient) error {
			ctx, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
			defer cancel()
			return rdb.Get(ctx, "hubgate:a:{state}:r").Err()
		},
		"by a deadline that has passed": func(ctx context.Context, rdb redis.UniversalClient) error {
			ctx, cancel := context.WithDeadline(ctx, time.Unix(0, 0))
			defer cancel()
			return rdb.Set(ctx, "hubgate:a:{state}", "claim", time.Minute).Err()
		},
		"by a browser that has gone": func(ctx context.Context, rdb redis.UniversalClient) error {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return rdb.Get(ctx, "hubgate:a:{state}:r").Err()
		},
		"in a pipeline": func(ctx context.Context, rdb redis.UniversalClient) error {
			ctx, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
			defer cancel()
			pipe := rdb.Pipeline()
			pipe.Get(ctx, "hubgate:a:{state}")
			pipe.Get(ctx, "hubgate:a:{state}:r")
			_, err := pipe.Exec(ctx)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			network, err := faultproxy.New(miniredis.RunT(t).Addr())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { network.Close() })
			clients := openProbed(t, network.Addr())
			if err := network.Set(faultproxy.Fault{Delay: 60 * time.Millisecond}); err != nil {
				t.Fatal(err)
			}
			for range 5 {
				var all sync.WaitGroup
				for range 20 {
					all.Go(func() {
						if err := cutOff(t.Context(), clients.Request); err == nil || errors.Is(err, redis.Nil) {
							t.Error("it was not cut off")
						}
					})
				}
				all.Wait()
				if err := clients.Request.Get(t.Context(), "hubgate:s:{other}").Err(); !errors.Is(err, redis.Nil) {
					t.Errorf("another visitor: %v", err)
				}
			}
		})
	}
}

// openProbed opens the clients as the gateway does, and returns when Redis has been asked.
func openProbed(t *testing.T, address string) *redisclient.Clients {
	t.Helper()
	asked := make(chan redisclient.Result, 100)
	cfg := redisclient.Config{Mode: "single", URLs: []string{"redis://" + address}, KeyPrefix: "hubgate:"}
	clients, err := redisclient.Open(cfg, redisclient.Deps{
		Credentials: func() (string, string) { return "", "" },
		Observe:     func(context.Context, error, time.Duration) {},
		Report:      func(s redisclient.Result) { asked <- s },
		Log:         slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { clients.Probe.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait(); clients.Close() })
	<-asked
	return clients
}

func TestRedisIsUpUnlessTheProbeFindsItDown(t *testing.T) {
	t.Parallel()
	for name, met := range map[string]error{
		"a time-out":           context.DeadlineExceeded,
		"a broken connection":  errors.New("EOF"),
		"a full pool":          redis.ErrPoolTimeout,
		"a cancellation":       context.Canceled,
		"a refused permission": refusal("NOPERM this user has no permissions to access one of the keys"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newOperator(t, withToken).gateway
			up := func() bool {
				return g.metrics.dependencies.Health(dependency.Redis).OK && g.health().Checks["redis"].OK
			}
			for range 10 {
				redisObserver{g.metrics.dependencies}.observe(t.Context(), met, time.Second)
			}
			if !up() {
				t.Error("a visitor's command brought Redis down")
			}
			for _, found := range []redisclient.Result{{Err: redisclient.ErrTimeout}, {WriteErr: refusal("OOM command not allowed")}} {
				g.redis.Probe.Record(found)
				redisObserver{g.metrics.dependencies}.observe(t.Context(), nil, time.Millisecond)
				if up() {
					t.Errorf("a visitor's command brought Redis back: %+v", found)
				}
			}
			g.redis.Probe.Record(redisclient.Result{})
			if !up() {
				t.Error("Redis is not up although the probe was answered")
			}
		})
	}
}

// refusal is an answer of Redis that refuses a command.
type refusal string

func (r refusal) Error() string { return string(r) }
func (refusal) RedisError()     {}
