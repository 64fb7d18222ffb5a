package hubspot

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/internal/setting"
)

// upsertFailsWhile makes HubSpot answer upserts with 503.
func upsertFailsWhile(down *atomic.Bool) option {
	return func(c *fakehubspot.Config) {
		c.Wrap = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if down.Load() && strings.HasSuffix(r.URL.Path, upsertPath) {
					rw.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				next.ServeHTTP(rw, r)
			})
		}
	}
}

// newWaitingEnv returns a replica that keeps a job of ada in memory: held, because the second login changed nothing, or
// delayed by an outage.
func newWaitingEnv(t *testing.T, outage bool) (e *env, r *replica, down *atomic.Bool) {
	t.Helper()
	down = &atomic.Bool{}
	down.Store(outage)
	e = newEnv(t, usualProperties(), upsertFailsWhile(down))
	e.cfg.Contacts.MinInterval = setting.Duration(time.Hour)
	r = e.startReplica()
	for range 2 {
		e.enqueue(r, loginOf("ada", 1))
		time.Sleep(time.Minute)
	}
	return e, r, down
}

// TestAllowDoesNotSendWhatWasForgotten checks that the worker sends no job from its memory after an operator had the
// person forgotten, and then allowed again.
func TestAllowDoesNotSendWhatWasForgotten(t *testing.T) {
	t.Parallel()
	for name, outage := range map[string]bool{"held": false, "delayed by an outage": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e, r, down := newWaitingEnv(t, outage)
				e.forgetAda(r)
				if was, err := r.Allow(t.Context(), "ada@example.com"); !was || err != nil {
					t.Fatal(was, err)
				}
				before, contacts := e.upserts(), len(e.fake.Contacts())
				down.Store(false)
				time.Sleep(2 * time.Hour)
				if after := e.upserts(); !outage && after != before || len(e.fake.Contacts()) != contacts {
					t.Errorf("%d calls more, %d contacts, %d before", after-before, len(e.fake.Contacts()), contacts)
				}
				e.enqueue(r, loginOf("ada", 2))
				e.waitDrained(r)
				if e.contact("ada@example.com") == nil {
					t.Error("the next login was not sent")
				}
			})
		})
	}
}

// TestCreateAfterAllowIsSent checks that what an operator requests for the address after that is not lost with the job
// that the worker still has in memory.
func TestCreateAfterAllowIsSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, r, down := newWaitingEnv(t, true)
		e.forgetAda(r)
		if was, err := r.Allow(t.Context(), "ada@example.com"); !was || err != nil {
			t.Fatal(was, err)
		}
		if err := r.Create(t.Context(), "ada@example.com"); err != nil {
			t.Fatal(err)
		}
		down.Store(false)
		e.waitDrained(r)
		if c := e.contact("ada@example.com"); c == nil || c["firstname"] != "" {
			t.Errorf("contacts %v", e.fake.Contacts())
		}
	})
}

// TestRemovedEntryIsNotSent checks that a job ends when its entry is removed behind the worker's back.
func TestRemovedEntryIsNotSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, r, down := newWaitingEnv(t, true)
		if err := e.redis.XTrimMaxLen(t.Context(), "hubgate:{crm}:stream", 0).Err(); err != nil {
			t.Fatal(err)
		}
		down.Store(false)
		e.enqueue(r, testLogin("bob@example.com"))
		time.Sleep(2 * time.Hour)
		s, err := r.Status(t.Context())
		if err != nil || s.Delayed+s.InFlight > 0 || e.contact("ada@example.com") != nil ||
			e.contact("bob@example.com") == nil {
			t.Errorf("%+v, %v, contacts %v", s, err, e.fake.Contacts())
		}
	})
}
