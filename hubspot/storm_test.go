package hubspot

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/internal/setting"
)

func TestTenThousandLoginsInAMinuteAreAHundredCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, usual())
		replicas := []*replica{w.running(), w.running(), w.running()}
		const logins, minute = 10_000, time.Minute
		start := time.Now()
		for i := range logins {
			if i%100 == 0 {
				time.Sleep(time.Until(start.Add(time.Duration(i) * minute / logins)))
			}
			w.login(replicas[i%3], person1(fmt.Sprintf("p%d@example.com", i)))
		}
		w.drained(replicas[0])
		if n, took := w.upserts(), time.Since(start); n > 101 || len(w.fake.Contacts()) != logins || took > minute+10*time.Second {
			t.Errorf("%d calls for %d contacts in %s", n, len(w.fake.Contacts()), took)
		}
		made := 0.0
		for _, r := range replicas {
			made += r.counted(created)
		}
		if made != logins || w.fake.Over() != 0 {
			t.Errorf("%v counted, %d over the limit", made, w.fake.Over())
		}
	})
}

func TestUnchangedPeopleShareTheCallsOfTheEndOfTheirIntervals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, usual())
		w.cfg.Contacts.MinInterval = setting.Duration(5 * time.Minute)
		r := w.running()
		for range 3 {
			for i := range 150 {
				w.login(r, person1(fmt.Sprintf("p%d@example.com", i)))
			}
			time.Sleep(time.Minute)
		}
		if n := w.upserts(); n != 2 {
			t.Errorf("%d calls: unchanged people cost some", n)
		}
		if s, err := r.Status(t.Context()); err != nil || s.OldestSeconds != 0 || s.Delayed != 150 {
			t.Errorf("%+v %v", s, err)
		}
		time.Sleep(3 * time.Minute)
		if n := w.upserts(); n != 4 || w.contact("p7@example.com")["portal_logins"] != "3" {
			t.Errorf("%d calls, %v", n, w.contact("p7@example.com"))
		}
	})
}

// storm is an API in bad weather, the same each time: calls are refused, garbled, cut before or after they are carried out.
func storm(next http.Handler) http.Handler {
	var n atomic.Int64
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch call := n.Add(1); {
		case call%7 == 0:
			rw.WriteHeader(http.StatusTooManyRequests)
			fmt.Fprint(rw, `{"status":"error","policyName":"TEN_SECONDLY_ROLLING","category":"RATE_LIMITS"}`)
		case call%11 == 0:
			next.ServeHTTP(&discard{}, r)
			panic(http.ErrAbortHandler)
		case call%13 == 0:
			http.Error(rw, "<html>", http.StatusBadGateway)
		case call%17 == 0:
			next.ServeHTTP(&discard{}, r)
			fmt.Fprint(rw, `{"status":"COMPLETE","results":[{"id`)
		default:
			next.ServeHTTP(rw, r)
		}
	})
}

func TestThreeReplicasThroughAStormKilledAndWithoutRedisForAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const people, limit = 60, 20
		w := newWorld(t, crashProperties(), func(c *fakehubspot.Config) { c.Limit, c.Wrap = limit, storm })
		w.cfg.RateLimit = setting.Rate{Requests: limit, Per: setting.Duration(10 * time.Second)}
		herd := []*mortal{w.mortal(0), w.mortal(0), w.mortal(0)}
		front := w.replica()
		var logins sync.Map
		deaths := 0
		for i := range 3 * people {
			email := fmt.Sprintf("p%d@example.com", i%people)
			for front.Enqueue(t.Context(), person1(email)) != nil {
				time.Sleep(time.Second) // the visitor comes again
			}
			n, _ := logins.LoadOrStore(email, new(atomic.Int64))
			n.(*atomic.Int64).Add(1)
			time.Sleep(200 * time.Millisecond)
			if i%15 == 7 { // whoever works dies, and is replaced
				victim := herd[deaths%3]
				victim.dead.Store(true)
				victim.died()
				herd[deaths%3] = w.mortal(0)
				deaths++
			}
			if i == people || i == 2*people {
				w.loseRedis()
				time.AfterFunc(20*time.Second, w.findRedis)
			}
		}
		w.drained(front)
		logins.Range(func(email, n any) bool {
			want := strconv.FormatInt(n.(*atomic.Int64).Load(), 10)
			if c := w.contact(email.(string)); c["firstname"] != "Ada" || c["portal_logins"] != want || c["lead_source"] != "portal" {
				t.Errorf("%v, %s logins", c, want)
			}
			return true
		})
		s, err := front.Status(t.Context())
		if err != nil || s.Dead != 0 || w.fake.Over() != 0 || len(w.fake.Contacts()) != people || deaths != 12 {
			t.Errorf("%+v %v: %d over the limit, %d contacts, %d deaths", s, err, w.fake.Over(), len(w.fake.Contacts()), deaths)
		}
	})
}
