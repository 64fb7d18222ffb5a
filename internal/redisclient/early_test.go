package redisclient_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/faultproxy"
	"github.com/hubgate/hubgate/internal/redisclient"
)

// TestBreakerStaysClosedWhenRequestsEnd has visitors whose commands end early: at the deadline of a callback, or
// because the browser is gone. Redis is available all the time.
func TestBreakerStaysClosedWhenRequestsEnd(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]func(context.Context, redis.UniversalClient) error{
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
		"by a browser that is gone": func(ctx context.Context, rdb redis.UniversalClient) error {
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
						if err := run(t.Context(), clients.Request); err == nil || errors.Is(err, redis.Nil) {
							t.Error("the command did not end early")
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

// openProbed opens the clients as the gateway does. It returns after the first probe.
func openProbed(t *testing.T, address string) *redisclient.Clients {
	t.Helper()
	probed := make(chan redisclient.Result, 100)
	cfg := redisclient.Config{Mode: "single", URLs: []string{"redis://" + address}, KeyPrefix: "hubgate:"}
	clients, err := redisclient.Open(cfg, redisclient.Deps{
		Credentials: func() (string, string) { return "", "" },
		Observe:     func(context.Context, error, time.Duration) {},
		Report:      func(s redisclient.Result) { probed <- s },
		Log:         slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { clients.Probe.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait(); clients.Close() })
	<-probed
	return clients
}
