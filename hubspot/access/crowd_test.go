package access

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/ratelimit"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/session"
)

// limited returns a running replica that keeps to the default rate limit, which all replicas share.
func (w *world) limited() *Access {
	rdb := w.dial()
	limits := ratelimit.New(ratelimit.Deps{Redis: rdb, KeyPrefix: "hubgate:", Now: time.Now})
	limits.Set(setting.Rate{Requests: 90, Per: setting.Duration(10 * time.Second)})
	a := w.idle(rdb)
	client := func(l *ratelimit.Limiter) *crm.Client {
		return crm.New(crm.Config{AccessToken: "t", APIURL: "http://hubspot.test", APIVersion: "2026-09"},
			&http.Client{Transport: w.hubspot, Timeout: 10 * time.Second}, l, nil)
	}
	a.deps.Urgent, a.deps.Spare, a.deps.Rate = client(limits.Visitors), client(limits.Spare), limits.Visitors.Rate
	w.start(a)
	synctest.Wait()
	return a
}

// poisoned answers calls about addresses that begin with poison as a firewall would, after a while.
func poisoned(slow time.Duration) func(c apiCall) *http.Response {
	return func(c apiCall) *http.Response {
		if slices.ContainsFunc(c.inputs, func(in string) bool { return strings.HasPrefix(in, "poison") }) {
			time.Sleep(slow)
			return respond(http.StatusForbidden, "blocked")
		}
		return nil
	}
}

// besides makes people reload their pages all the time, and returns how many of the newcomers who come meanwhile, one
// each second, are unknown.
func (w *world) besides(replicas []*Access, people []*session.Session, every time.Duration) (unknown int) {
	w.mini.ClockTTL(false)
	w.hubspot.setLatency(200 * time.Millisecond)
	ctx, stop := context.WithCancel(w.t.Context())
	var all sync.WaitGroup
	for i, s := range people {
		all.Go(func() {
			for wait := rand.N(every); ctx.Err() == nil; wait = every {
				time.Sleep(wait)
				replicas[i%len(replicas)].Know(ctx, s, true)
			}
		})
	}
	time.Sleep(2 * every)
	w.hubspot.received()
	var missing atomic.Int64
	var newcomers sync.WaitGroup
	for i := range 100 {
		s := w.member("newcomer"+strconv.Itoa(i), strconv.Itoa(700_000+i), "1")
		newcomers.Go(func() {
			if w.know(replicas[i%len(replicas)], s, false) == nil {
				missing.Add(1)
			}
		})
		time.Sleep(time.Second)
	}
	newcomers.Wait()
	stop()
	all.Wait()
	return int(missing.Load())
}

func TestPoisonedAddressesDoNotShutOutNewcomers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		accounts, replicas int
		slow               time.Duration
	}{
		"thirty": {30, 1, 0}, "a hundred": {100, 1, 0}, "slow": {8, 1, 4 * time.Second}, "two replicas": {60, 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				var replicas []*Access
				for range c.replicas {
					replicas = append(replicas, w.limited())
				}
				people := make([]*session.Session, c.accounts)
				for i := range people {
					people[i] = visitor("poison" + strconv.Itoa(i))
				}
				w.hubspot.setRefuse(poisoned(c.slow))
				time.Sleep(time.Second)
				if unknown := w.besides(replicas, people, 30*time.Second); unknown > 1 {
					t.Errorf("%d of 100 newcomers are unknown", unknown)
				}
				if n := w.log.count("cannot be asked"); n > 0 {
					t.Errorf("visitors began %d outages", n)
				}
			})
		})
	}
}

func TestDeniedVisitorsDoNotShutOutNewcomers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ accounts, replicas int }{
		"some": {150, 1}, "many": {1000, 1}, "two replicas": {600, 2},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				var replicas []*Access
				for range c.replicas {
					replicas = append(replicas, w.limited())
				}
				people := make([]*session.Session, c.accounts)
				for i := range people {
					people[i] = w.member("denied"+strconv.Itoa(i), strconv.Itoa(1000+i))
				}
				if unknown := w.besides(replicas, people, 31*time.Second); unknown > 0 {
					t.Errorf("%d of 100 newcomers are unknown", unknown)
				}
				calls := w.hubspot.received()
				if most := mostWithin(calls, 10*time.Second); most > 50*c.replicas {
					t.Errorf("%d calls in ten seconds", most)
				}
			})
		})
	}
}

// TestSuspectsAreRemembered checks that an address on which calls fail is read ever less often, whatever is swept.
func TestSuspectsAreRemembered(t *testing.T) {
	t.Parallel()
	for _, every := range []time.Duration{time.Second, 5 * time.Second, time.Minute} {
		t.Run(every.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				w.hubspot.setRefuse(poisoned(0))
				a, poison := w.replica(), visitor("poison")
				for began := time.Now(); time.Since(began) < 2*time.Hour; time.Sleep(every) {
					w.know(a, poison, false)
				}
				if calls := w.hubspot.received(); len(calls) > 14 {
					t.Errorf("%d calls in two hours", len(calls))
				}
			})
		})
	}
}
