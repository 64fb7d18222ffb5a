package lease_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/lease"
)

const ttl = 9 * time.Second

func newLeases(t *testing.T) (server *miniredis.Miniredis, ours, theirs lease.Lease) {
	t.Helper()
	server = miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1})
	t.Cleanup(func() { rdb.Close() })
	ours = lease.Lease{Redis: rdb, Key: "lease", Token: "ours", TTL: ttl}
	theirs = ours
	theirs.Token = "theirs"
	return server, ours, theirs
}

func acquire(t *testing.T, l lease.Lease, want bool) {
	t.Helper()
	if got, err := l.Acquire(t.Context()); err != nil || got != want {
		t.Errorf("%s: acquired %v, %v", l.Token, got, err)
	}
}

func TestAcquireIsIdempotentAndExclusive(t *testing.T) {
	t.Parallel()
	server, ours, theirs := newLeases(t)
	acquire(t, ours, true)
	acquire(t, ours, true) // a retry after a lost reply
	acquire(t, theirs, false)
	if holder, err := theirs.Holder(t.Context()); err != nil || holder != "ours" {
		t.Errorf("holder %q, %v", holder, err)
	}
	server.FastForward(ttl)
	acquire(t, theirs, true)
}

func TestOnlyTheHolderRenewsAndReleases(t *testing.T) {
	t.Parallel()
	server, ours, theirs := newLeases(t)
	acquire(t, ours, true)
	server.FastForward(ttl / 3)
	if held, err := theirs.Renew(t.Context()); err != nil || held {
		t.Errorf("the other renewed: %v, %v", held, err)
	}
	if err := theirs.Release(t.Context()); err != nil {
		t.Error(err)
	}
	if left := server.TTL("lease"); left != 2*ttl/3 {
		t.Errorf("the other changed the TTL to %s", left)
	}
	if held, err := ours.Renew(t.Context()); err != nil || !held || server.TTL("lease") != ttl {
		t.Errorf("renewed: %v, %v, TTL %s", held, err, server.TTL("lease"))
	}
	if err := ours.Release(t.Context()); err != nil {
		t.Error(err)
	}
	acquire(t, theirs, true)
}

func TestReleaseAfterBlocksEveryone(t *testing.T) {
	t.Parallel()
	server, ours, theirs := newLeases(t)
	acquire(t, ours, true)
	if err := ours.ReleaseAfter(t.Context(), time.Minute); err != nil {
		t.Error(err)
	}
	acquire(t, ours, false)
	acquire(t, theirs, false)
	if holder, err := theirs.Holder(t.Context()); err != nil || holder != lease.Blocked {
		t.Errorf("holder %q, %v", holder, err)
	}
	server.FastForward(time.Minute)
	acquire(t, theirs, true)
}

func TestKeyOfAnotherTypeIsAnError(t *testing.T) {
	t.Parallel()
	server, ours, _ := newLeases(t)
	if _, err := server.Lpush("lease", "x"); err != nil {
		t.Fatal(err)
	}
	if got, err := ours.Acquire(t.Context()); err == nil || got {
		t.Errorf("acquired %v, %v", got, err)
	}
}

// renewals counts renewals without a network.
type renewals struct{ n int }

func (r *renewals) DialHook(next redis.DialHook) redis.DialHook { return next }
func (r *renewals) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
func (r *renewals) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(_ context.Context, cmd redis.Cmder) error {
		r.n++
		cmd.(*redis.Cmd).SetVal(int64(1))
		return nil
	}
}

func TestKeepAliveRenewsUntilItIsStopped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rdb := redis.NewClient(&redis.Options{})
		defer rdb.Close()
		count := &renewals{}
		rdb.AddHook(count)
		stop := lease.Lease{Redis: rdb, Key: "lease", Token: "ours", TTL: ttl}.KeepAlive(t.Context())
		time.Sleep(2*ttl + time.Millisecond) // the bubble's clock
		stop()
		synctest.Wait()
		if count.n != 6 {
			t.Errorf("%d renewals in twice the TTL", count.n)
		}
		time.Sleep(ttl)
		if count.n != 6 {
			t.Error("renewed after the stop")
		}
	})
}
