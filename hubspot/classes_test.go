package hubspot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/hubspot/access"
	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/ratelimit"
	"github.com/hubgate/hubgate/internal/setting"
)

// accessEnv returns an env in which rules ask for a list, with a limit of calls in ten seconds.
func accessEnv(t *testing.T, requests int, options ...option) *env {
	t.Helper()
	e := newEnv(t, usualProperties(), options...)
	e.cfg.RateLimit = setting.Rate{Requests: requests, Per: setting.Duration(10 * time.Second)}
	e.cfg.Access.Lists = map[string]access.ListID{"customers": "1"}
	return e
}

// asking makes calls of a class, one after the other, until ctx ends.
func (e *env) asking(ctx context.Context, r *replica, l crm.Limiter, done *sync.WaitGroup) {
	e.t.Helper()
	client := crm.New(e.cfg.CRM(), r.deps.Client, l, e.tokenNow)
	done.Go(func() {
		for ctx.Err() == nil {
			err := client.Probe(ctx)
			if err != nil && !errors.Is(err, ratelimit.ErrPaused) && ctx.Err() == nil {
				e.t.Error(err)
				return
			}
		}
	})
}

// queueMany queues more logins than the limit lets through within minutes.
func (e *env) queueMany(r *replica, n int) {
	e.t.Helper()
	for i := range n {
		e.enqueue(r, testLogin(fmt.Sprintf("p%d@example.com", i)))
	}
}

// wait returns how long a class waits for a permit. The call never happens, and its permit counts for 35 s.
func (e *env) wait(l *ratelimit.Limiter) (time.Duration, error) {
	e.t.Helper()
	began := time.Now()
	_, err := l.Acquire(e.t.Context())
	return time.Since(began), err
}

func TestRateLimitHoldsForAllClassesTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var seen callWindows
		e := accessEnv(t, 10, seen.wrap)
		replicas := []*replica{e.startReplica(), e.startReplica()}
		e.queueMany(replicas[0], 2000)
		ctx, stop := context.WithTimeout(t.Context(), 3*time.Minute)
		defer stop()
		var asking sync.WaitGroup
		for i := range 6 {
			e.asking(ctx, replicas[i%2], replicas[i%2].VisitorReads(), &asking)
			e.asking(ctx, replicas[i%2], replicas[i%2].SpareReads(), &asking)
		}
		asking.Wait()
		e.waitDrained(replicas[1])
		if n := seen.densest(); n != 10 || len(e.fake.Contacts()) != 2000 {
			t.Errorf("%d calls in ten seconds, %d contacts", n, len(e.fake.Contacts()))
		}
	})
}

func TestVisitorsDoNotWaitForOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var seen callWindows
		e := accessEnv(t, 10, seen.wrap)
		r, other := e.startReplica(), e.replica()
		e.queueMany(r, 3000)
		ctx, stop := context.WithCancel(t.Context())
		var asking sync.WaitGroup
		for range 3 {
			e.asking(ctx, other, other.SpareReads(), &asking)
		}
		time.Sleep(25 * time.Second)
		for range 5 {
			for range 2 { // the part that is left to visitors
				if waited, err := e.wait(other.VisitorReads()); err != nil || waited != 0 {
					t.Errorf("waited %v, %v", waited, err)
				}
			}
			time.Sleep(46 * time.Second)
		}
		stop()
		asking.Wait()
		r.stop()
		if n := seen.densest(); n != 8 {
			t.Errorf("%d calls in ten seconds that are not visitors'", n)
		}
	})
}

func TestVisitorsDoNotStopSync(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var seen callWindows
		e := accessEnv(t, 10, seen.wrap)
		r := e.startReplica()
		ctx, stop := context.WithCancel(t.Context())
		var asking sync.WaitGroup
		e.asking(ctx, r, r.VisitorReads(), &asking)
		time.Sleep(2 * time.Second) // its calls are apart, so that never two places are free at once
		for range 7 {               // two replicas with four batches at once
			e.asking(ctx, r, r.VisitorReads(), &asking)
		}
		e.queueMany(r, 1000)
		time.Sleep(10 * time.Minute)
		stop()
		asking.Wait()
		if n := len(e.fake.Contacts()); n != 1000 {
			t.Errorf("%d contacts of 1000 are written within ten minutes", n)
		}
	})
}

func TestPauseOfSyncDoesNotStopAccess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := accessEnv(t, 90, func(c *fakehubspot.Config) { c.Scopes = []string{"crm.schemas.contacts.read"} })
		r, other := e.startReplica(), e.replica()
		e.enqueue(r, testLogin("ada@example.com"))
		e.waitFor("calls are paused", func() bool {
			s, err := r.Status(t.Context())
			return err == nil && s.PausedUntil != nil && strings.Contains(s.PausedBecause, "crm.objects.contacts.write")
		})
		for name, l := range map[string]*ratelimit.Limiter{
			"visitors": other.VisitorReads(), "spare": other.SpareReads(),
		} {
			if waited, err := e.wait(l); err != nil || waited != 0 {
				t.Errorf("%s: waited %v, %v", name, waited, err)
			}
		}
		if waited, err := e.wait(other.limits.Sync); err == nil && waited == 0 {
			t.Error("contact sync was not paused")
		}
	})
}

// TestFirewallsRateLimitDoesNotStopAccess checks that what one person's contact contains cannot keep others out.
func TestFirewallsRateLimitDoesNotStopAccess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := accessEnv(t, 90)
		e.fake.Next(fault{
			Path: upsertPath, Status: 429, Header: map[string]string{"Retry-After": "60"}, Body: "<html>slow down",
		})
		r, other := e.startReplica(), e.replica()
		e.enqueue(r, testLogin("ada@example.com"))
		e.waitFor("calls are paused", func() bool {
			s, err := r.Status(t.Context())
			return err == nil && s.PausedUntil != nil && strings.Contains(s.PausedBecause, "429")
		})
		for name, l := range map[string]*ratelimit.Limiter{
			"visitors": other.VisitorReads(), "spare": other.SpareReads(),
		} {
			if waited, err := e.wait(l); err != nil || waited != 0 {
				t.Errorf("%s: waited %v, %v", name, waited, err)
			}
		}
	})
}

func TestRateLimitOfSyncStopsAccess(t *testing.T) {
	t.Parallel()
	for policy, longest := range map[string]time.Duration{"DAILY": 0, "TEN_SECONDLY_ROLLING": 13 * time.Second} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := accessEnv(t, 90)
				e.fake.Next(fault{Path: upsertPath, Status: 429,
					Body: problemJSON("RATE_LIMITS", `,"policyName":"`+policy+`"`)})
				r, other := e.startReplica(), e.replica()
				e.enqueue(r, testLogin("ada@example.com"))
				e.waitFor("calls are paused", func() bool {
					s, err := r.Status(t.Context())
					return err == nil && s.PausedUntil != nil
				})
				for name, l := range map[string]*ratelimit.Limiter{
					"visitors": other.VisitorReads(), "spare": other.SpareReads(),
				} {
					waited, err := e.wait(l)
					if longest == 0 && !errors.Is(err, ratelimit.ErrPaused) {
						t.Errorf("%s: waited %v, %v", name, waited, err)
					}
					if longest > 0 && (err != nil || waited > longest) {
						t.Errorf("%s: waited %v, %v", name, waited, err)
					}
				}
			})
		})
	}
}

func TestRateLimitOfAccessStopsSync(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := accessEnv(t, 90)
		r, other := e.startReplica(), e.replica()
		if err := other.VisitorReads().Pause(t.Context(), "429: the daily limit", 10*time.Minute); err != nil {
			t.Fatal(err)
		}
		if err := other.SpareReads().Pause(t.Context(), "429: a shorter one", time.Minute); err != nil {
			t.Fatal(err)
		}
		e.enqueue(r, testLogin("ada@example.com"))
		time.Sleep(9 * time.Minute)
		s, err := r.Status(t.Context())
		if err != nil || s.PausedUntil == nil || s.PausedBecause != "429: the daily limit" || len(e.fake.Calls()) != 0 {
			t.Errorf("%+v %v, %d calls", s, err, len(e.fake.Calls()))
		}
		e.waitDrained(r)
	})
}

func TestNewTokenEndsOnlyPauseOfSync(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := accessEnv(t, 90, func(c *fakehubspot.Config) { c.Token = "pat-na1-new" })
		r := e.startReplica()
		e.enqueue(r, testLogin("ada@example.com"))
		paused := func(because string) {
			t.Helper()
			e.waitFor(because, func() bool {
				s, err := r.Status(t.Context())
				return err == nil && s.PausedUntil != nil && strings.Contains(s.PausedBecause, because)
			})
		}
		paused("401")
		if err := r.SpareReads().Pause(t.Context(), "429: x", 5*time.Minute); err != nil {
			t.Fatal(err)
		}
		paused("429: x") // the longer one
		e.setToken("pat-na1-new")
		time.Sleep(2 * time.Minute)
		paused("429: x")
		if n := len(e.fake.Contacts()); n != 0 {
			t.Errorf("%d contacts are written at HubSpot's limit", n)
		}
		e.waitDrained(r)
		if e.contact("ada@example.com") == nil {
			t.Error("not written after the pause")
		}
	})
}
