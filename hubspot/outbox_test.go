package hubspot

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/outbox"
)

func TestEnqueueTimesOutWithoutRedis(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		r := e.replica()
		e.stopRedis()
		if err := r.Enqueue(t.Context(), testLogin("ada@example.com")); err == nil ||
			strings.Contains(err.Error(), "ada@") {
			t.Errorf("%v", err)
		}
		if got := testutil.ToFloat64(r.deps.Metrics.lost); got != 1 {
			t.Errorf("lost: %v", got)
		}
	})
}

func TestReplicaTakesOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		first, second := e.startReplica(), e.startReplica()
		e.waitFor("a replica has the lease", func() bool { return e.mini.Exists("hubgate:{crm}:lease") })
		first.stop()
		e.enqueue(second, testLogin("ada@example.com"))
		e.waitDrained(second)
		if e.contact("ada@example.com") == nil {
			t.Error("no contact")
		}
		second.stop()
		if e.mini.Exists("hubgate:{crm}:lease") {
			t.Error("the lease was not released")
		}
	})
}

// lostReply drops Redis' first reply to a script.
type lostReply struct {
	atomic.Bool
}

// DialHook returns next.
func (d *lostReply) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessPipelineHook returns next.
func (d *lostReply) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// ProcessHook drops the reply.
func (d *lostReply) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if err == nil && strings.HasPrefix(cmd.Name(), "eval") && d.CompareAndSwap(false, true) {
			err = errors.New("connection reset by peer")
			cmd.SetErr(err)
		}
		return err
	}
}

func TestEnqueueRetryQueuesOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		client, lost := e.dial(), &lostReply{}
		client.AddHook(lost)
		e.enqueue(e.replicaOn(client, e.http), testLogin("ada@example.com"))
		r := e.replica()
		if s, err := r.Status(t.Context()); err != nil || s.Queued != 1 || !lost.Load() {
			t.Errorf("%+v %v", s, err)
		}
		e.waitDrained(e.startReplica())
		if got := e.contact("ada@example.com")["portal_logins"]; got != "1" {
			t.Errorf("%s logins", got)
		}
	})
}

// TestForeignKeysAreNamed checks that keys of another program are kept, and that the log says what to look at.
func TestForeignKeysAreNamed(t *testing.T) {
	t.Parallel()
	const cure = "is session.redis.key_prefix shared?"
	for _, name := range []string{"stream", "due", "tries", "lease", "a person's record"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEnv(t, usualProperties())
				e.fake.Next(fakehubspot.Fault{Path: upsertPath, Status: 429}) // it is delayed
				l, key, log := testLogin("ada@example.com"), "hubgate:{crm}:"+name, &logText{}
				if name == "a person's record" {
					key = e.personKey(l)
				}
				e.log = log
				if _, err := e.mini.Lpush(key, "foreign"); err != nil {
					t.Fatal(err)
				}
				r := e.startReplica()
				err := r.Enqueue(t.Context(), l)
				time.Sleep(time.Minute)
				if log.count(cure) == 0 && (err == nil || !strings.Contains(err.Error(), cure)) {
					t.Errorf("%v, %s", err, log.text.String())
				}
				if list, err := e.mini.List(key); err != nil || len(list) != 1 {
					t.Errorf("%v %v", list, err)
				}
			})
		})
	}
}

// personKey returns the key of a person's record.
func (e *env) personKey(l outbox.Login) string {
	e.t.Helper()
	e.enqueue(e.replica(), l)
	defer e.mini.FlushAll()
	for _, key := range e.mini.Keys() {
		if strings.HasPrefix(key, "hubgate:{crm}:p:") {
			return key
		}
	}
	e.t.Fatal("there is no record")
	return ""
}

func TestEnqueueErrorHidesAddress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		r := e.replica()
		l := testLogin("ada@example.com")
		e.mini.SetError("OOM command not allowed when used memory > 'maxmemory'.")
		start := time.Now()
		err := r.Enqueue(t.Context(), l)
		if err == nil || strings.Contains(err.Error(), "ada") || !strings.Contains(err.Error(), r.outbox.LogHash(l)) ||
			time.Since(start) > time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		if got := testutil.ToFloat64(r.deps.Metrics.lost); got != 1 {
			t.Errorf("lost: %v", got)
		}
		if ok, detail, _ := r.Health(); ok || !strings.Contains(detail, "could not be queued") {
			t.Error(detail)
		}
	})
}
