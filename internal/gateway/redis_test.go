package gateway

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/redisclient"
)

func TestRedisHealthFollowsTheProbeAlone(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"a time-out":           context.DeadlineExceeded,
		"a broken connection":  errors.New("EOF"),
		"a full pool":          redis.ErrPoolTimeout,
		"a cancellation":       context.Canceled,
		"a refused permission": errors.New("NOPERM this user has no permissions to access one of the keys"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newOperator(t, withToken).gateway
			up := func() bool {
				return g.metrics.dependencies.Health(dependency.Redis).OK && g.health().Checks["redis"].OK
			}
			for range 10 {
				redisObserver{g.metrics.dependencies}.observe(t.Context(), err, time.Second)
			}
			if !up() {
				t.Error("a visitor's command made Redis unavailable")
			}
			for _, result := range []redisclient.Result{
				{Err: redisclient.ErrTimeout}, {WriteErr: errors.New("OOM command not allowed")},
			} {
				g.redis.Probe.Record(result)
				redisObserver{g.metrics.dependencies}.observe(t.Context(), nil, time.Millisecond)
				if up() {
					t.Errorf("a visitor's command made Redis available: %+v", result)
				}
			}
			g.redis.Probe.Record(redisclient.Result{})
			if !up() {
				t.Error("Redis is down although the probe succeeded")
			}
		})
	}
}
