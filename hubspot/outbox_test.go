package hubspot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/redis/go-redis/v9"
)

func TestALoginDoesNotWaitForARedisThatIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, usual())
		r := w.replica()
		w.loseRedis()
		if err := r.Enqueue(t.Context(), person1("ada@example.com")); err == nil || strings.Contains(err.Error(), "ada@") {
			t.Errorf("%v", err)
		}
		if got := testutil.ToFloat64(r.deps.Metrics.lost); got != 1 {
			t.Errorf("lost: %v", got)
		}
	})
}

func TestAnotherReplicaGoesOnWhereOneStopped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, usual())
		first, second := w.running(), w.running()
		w.until("somebody works", func() bool { return w.mini.Exists("hubgate:{crm}:lease") })
		first.stop()
		w.login(second, person1("ada@example.com"))
		w.drained(second)
		if w.contact("ada@example.com") == nil {
			t.Error("no contact")
		}
		second.stop()
		if w.mini.Exists("hubgate:{crm}:lease") {
			t.Error("the lease was not given back")
		}
	})
}

// deaf loses the first answer that Redis gives to a script.
type deaf struct {
	atomic.Bool
}

// DialHook does nothing.
func (d *deaf) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessPipelineHook does nothing.
func (d *deaf) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// ProcessHook loses the answer.
func (d *deaf) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if err == nil && strings.HasPrefix(cmd.Name(), "eval") && d.CompareAndSwap(false, true) {
			err = errors.New("connection reset by peer")
			cmd.SetErr(err)
		}
		return err
	}
}

func TestALoginWhoseQueueingWasNotAnsweredIsQueuedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, usual())
		client, lost := w.dial(), &deaf{}
		client.AddHook(lost)
		w.login(w.replicaOn(client, w.http), person1("ada@example.com"))
		r := w.replica()
		if s, err := r.Status(t.Context()); err != nil || s.Queued != 1 || !lost.Load() {
			t.Errorf("%+v %v", s, err)
		}
		w.drained(w.running())
		if got := w.contact("ada@example.com")["portal_logins"]; got != "1" {
			t.Errorf("%s logins", got)
		}
	})
}

// Somebody else's key under one of our names stops neither logins nor the queue.
func TestKeysOfAnotherTypeAreRemoved(t *testing.T) {
	t.Parallel()
	names := newKeys("hubgate:")
	for _, key := range []string{
		names.stream, names.due, names.tries, names.dead, names.budget, names.pause, names.left, names.lease, names.fence, names.inFlight, names.oldest,
		names.rejected, "a person's record",
	} {
		for _, late := range []bool{false, true} {
			t.Run(fmt.Sprint(strings.TrimPrefix(key, "hubgate:{crm}:"), late), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, usual())
					r := w.running()
					l := person1("ada@example.com")
					if key == "a person's record" {
						key = r.outbox.personKeys(l)[0]
					}
					if late {
						w.login(r, person1("grace@example.com"))
					}
					w.mini.Del(key)
					if _, err := w.mini.Lpush(key, "not ours"); err != nil {
						t.Fatal(err)
					}
					w.login(r, l)
					w.until("the contact is there", func() bool { return w.contact("ada@example.com") != nil })
				})
			})
		}
	}
}

func TestALoginThatRedisRefusesIsCountedAndNamedByAHashOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, usual())
		r := w.replica()
		l := person1("ada@example.com")
		w.mini.SetError("OOM command not allowed when used memory > 'maxmemory'.")
		start := time.Now()
		err := r.Enqueue(t.Context(), l)
		if err == nil || strings.Contains(err.Error(), "ada") || !strings.Contains(err.Error(), r.outbox.logHash(l)) || time.Since(start) > time.Second {
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
