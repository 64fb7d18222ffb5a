package hubspot

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/internal/setting"
)

// callWindows makes the API slow and counts concurrent calls and the time of each call.
type callWindows struct {
	now, most atomic.Int64
	times     chan time.Time
}

func (s *callWindows) wrap(c *fakehubspot.Config) {
	s.times = make(chan time.Time, 10_000)
	c.Wrap = func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			s.most.Store(max(s.most.Load(), s.now.Add(1)))
			defer s.now.Add(-1)
			s.times <- time.Now()
			time.Sleep(150 * time.Millisecond)
			next.ServeHTTP(rw, r)
		})
	}
}

// densest returns the largest number of calls in any ten seconds.
func (s *callWindows) densest() (most int) {
	close(s.times)
	var last []time.Time
	for at := range s.times {
		last = append(last, at)
		for at.Sub(last[0]) >= 10*time.Second {
			last = last[1:]
		}
		most = max(most, len(last))
	}
	return most
}

func TestRateLimitHoldsInEveryWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var seen callWindows
		e := newEnv(t, usualProperties(), seen.wrap)
		e.cfg.RateLimit = setting.Rate{Requests: 7, Per: setting.Duration(10 * time.Second)}
		replicas := []*replica{e.startReplica(), e.startReplica(), e.startReplica()}
		for i := range 1500 {
			e.enqueue(replicas[i%3], testLogin(fmt.Sprintf("p%d@example.com", i)))
			if i == 600 {
				time.Sleep(15 * time.Second)
				replicas[0].stop()
			}
			if i == 1200 {
				time.Sleep(15 * time.Second)
				replicas[1].stop()
				e.startReplica()
			}
		}
		e.waitDrained(replicas[2])
		if n := seen.densest(); n != 7 || seen.most.Load() != 1 || len(e.fake.Contacts()) != 1500 {
			t.Errorf("%d calls in ten seconds, %d at once, %d contacts", n, seen.most.Load(), len(e.fake.Contacts()))
		}
	})
}

func TestRateLimitOfSmallerPlan(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties(), func(c *fakehubspot.Config) { c.Limit = 4 })
		r := e.replica()
		for i := range 1000 {
			e.enqueue(r, testLogin(fmt.Sprintf("p%d@example.com", i)))
		}
		e.waitDrained(e.startReplica())
		if e.fake.Over() != 0 || len(e.fake.Contacts()) != 1000 {
			t.Errorf("%d over the limit, %d contacts", e.fake.Over(), len(e.fake.Contacts()))
		}
	})
}

func TestDailyLimitIsPolledRarely(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties(), func(c *fakehubspot.Config) { c.Daily = 3 })
		r := e.startReplica()
		for i := range 300 {
			e.enqueue(r, testLogin(fmt.Sprintf("p%d@example.com", i)))
		}
		time.Sleep(time.Minute)
		s, err := r.Status(t.Context())
		if err != nil || s.PausedUntil == nil || time.Until(*s.PausedUntil) < 8*time.Minute ||
			s.Delayed+s.Queued != 100 {
			t.Errorf("%+v %v", s, err)
		}
		calls := len(e.fake.Calls())
		time.Sleep(40 * time.Minute)
		if n := len(e.fake.Calls()) - calls; n > 4 {
			t.Errorf("%d calls in 40 minutes", n)
		}
		e.fake.NewDay()
		e.fake.NewDay()
		time.Sleep(11 * time.Minute)
		e.fake.NewDay()
		e.waitDrained(r)
		if s, _ := r.Status(t.Context()); len(e.fake.Contacts()) != 300 || s.Dead != 0 ||
			e.contact("p299@example.com")["portal_logins"] != "1" {
			t.Errorf("%d contacts, %+v", len(e.fake.Contacts()), s)
		}
	})
}
