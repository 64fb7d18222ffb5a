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

// windows is an API that is slow, that counts calls which are made at the same time, and the most that it got within ten seconds.
type windows struct {
	now, most atomic.Int64
	times     chan time.Time
}

func (s *windows) wrap(c *fakehubspot.Config) {
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

// densest is the largest number of calls in any ten seconds.
func (s *windows) densest() (most int) {
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

func TestNoTenSecondsSeeMoreCallsThanTheBudgetAndOneReplicaCallsAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var seen windows
		w := newWorld(t, usual(), seen.wrap)
		w.cfg.RateLimit = setting.Rate{Requests: 7, Per: setting.Duration(10 * time.Second)}
		replicas := []*replica{w.running(), w.running(), w.running()}
		for i := range 1500 {
			w.login(replicas[i%3], person1(fmt.Sprintf("p%d@example.com", i)))
			if i == 600 {
				time.Sleep(15 * time.Second)
				replicas[0].stop()
			}
			if i == 1200 {
				time.Sleep(15 * time.Second)
				replicas[1].stop()
				w.running()
			}
		}
		w.drained(replicas[2])
		if n := seen.densest(); n != 7 || seen.most.Load() != 1 || len(w.fake.Contacts()) != 1500 {
			t.Errorf("%d calls in ten seconds, %d at once, %d contacts", n, seen.most.Load(), len(w.fake.Contacts()))
		}
	})
}

func TestAPlanThatIsSmallerThanTheConfigurationIsNotOverrun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, usual(), func(c *fakehubspot.Config) { c.Limit = 4 })
		r := w.replica()
		for i := range 1000 {
			w.login(r, person1(fmt.Sprintf("p%d@example.com", i)))
		}
		w.drained(w.running())
		if w.fake.Over() != 0 || len(w.fake.Contacts()) != 1000 {
			t.Errorf("%d over the limit, %d contacts", w.fake.Over(), len(w.fake.Contacts()))
		}
	})
}

func TestAUsedUpDayIsWaitedForWithFewCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, usual(), func(c *fakehubspot.Config) { c.Daily = 3 })
		r := w.running()
		for i := range 300 {
			w.login(r, person1(fmt.Sprintf("p%d@example.com", i)))
		}
		time.Sleep(time.Minute)
		s, err := r.Status(t.Context())
		if err != nil || s.PausedUntil == nil || time.Until(*s.PausedUntil) < 8*time.Minute || s.Delayed+s.Queued != 100 {
			t.Errorf("%+v %v", s, err)
		}
		calls := len(w.fake.Calls())
		time.Sleep(40 * time.Minute)
		if n := len(w.fake.Calls()) - calls; n > 4 {
			t.Errorf("%d calls in 40 minutes", n)
		}
		w.fake.NewDay()
		w.fake.NewDay()
		time.Sleep(11 * time.Minute)
		w.fake.NewDay()
		w.drained(r)
		if s, _ := r.Status(t.Context()); len(w.fake.Contacts()) != 300 || s.Dead != 0 || w.contact("p299@example.com")["portal_logins"] != "1" {
			t.Errorf("%d contacts, %+v", len(w.fake.Contacts()), s)
		}
	})
}
