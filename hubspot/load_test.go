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

func TestLoginBurstIsBatched(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		replicas := []*replica{e.startReplica(), e.startReplica(), e.startReplica()}
		const logins, minute = 10_000, time.Minute
		start := time.Now()
		for i := range logins {
			if i%100 == 0 {
				time.Sleep(time.Until(start.Add(time.Duration(i) * minute / logins)))
			}
			e.enqueue(replicas[i%3], testLogin(fmt.Sprintf("p%d@example.com", i)))
		}
		e.waitDrained(replicas[0])
		if n, took := e.upserts(), time.Since(start); n > 101 || len(e.fake.Contacts()) != logins ||
			took > minute+10*time.Second {
			t.Errorf("%d calls for %d contacts in %s", n, len(e.fake.Contacts()), took)
		}
		total := 0.0
		for _, r := range replicas {
			total += r.count(created)
		}
		if total != logins || e.fake.Over() != 0 {
			t.Errorf("%v counted, %d over the limit", total, e.fake.Over())
		}
	})
}

func TestHeldLoginsShareCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		e.cfg.Contacts.MinInterval = setting.Duration(5 * time.Minute)
		r := e.startReplica()
		for range 3 {
			for i := range 150 {
				e.enqueue(r, testLogin(fmt.Sprintf("p%d@example.com", i)))
			}
			time.Sleep(time.Minute)
		}
		if n := e.upserts(); n != 2 {
			t.Errorf("%d calls, although nothing changed", n)
		}
		if s, err := r.Status(t.Context()); err != nil || s.OldestSeconds != 0 || s.Held != 150 || s.Delayed != 0 {
			t.Errorf("%+v %v", s, err)
		}
		time.Sleep(3 * time.Minute)
		if n := e.upserts(); n != 4 || e.contact("p7@example.com")["portal_logins"] != "3" {
			t.Errorf("%d calls, %v", n, e.contact("p7@example.com"))
		}
	})
}

// unreliableAPI fails in the same pattern each time: calls are rejected, garbled, or cut before or after they take
// effect.
func unreliableAPI(next http.Handler) http.Handler {
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

func TestReplicasSurviveFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const people, limit = 60, 20
		e := newEnv(t, crashProperties(), func(c *fakehubspot.Config) { c.Limit, c.Wrap = limit, unreliableAPI })
		e.cfg.RateLimit = setting.Rate{Requests: limit, Per: setting.Duration(10 * time.Second)}
		replicas := []*crashPoint{e.crashingReplica(0), e.crashingReplica(0), e.crashingReplica(0)}
		front := e.replica()
		var logins sync.Map
		crashes := 0
		for i := range 3 * people {
			email := fmt.Sprintf("p%d@example.com", i%people)
			for front.Enqueue(t.Context(), testLogin(email)) != nil {
				time.Sleep(time.Second) // the visitor logs in again
			}
			n, _ := logins.LoadOrStore(email, new(atomic.Int64))
			n.(*atomic.Int64).Add(1)
			time.Sleep(200 * time.Millisecond)
			if i%15 == 7 { // crash a replica and replace it
				victim := replicas[crashes%3]
				victim.crashed.Store(true)
				victim.cancel()
				replicas[crashes%3] = e.crashingReplica(0)
				crashes++
			}
			if i == people || i == 2*people {
				e.stopRedis()
				time.AfterFunc(20*time.Second, e.restartRedis)
			}
		}
		e.waitDrained(front)
		logins.Range(func(email, n any) bool {
			want := strconv.FormatInt(n.(*atomic.Int64).Load(), 10)
			if c := e.contact(email.(string)); c["firstname"] != "Ada" || c["portal_logins"] != want ||
				c["lead_source"] != "portal" {
				t.Errorf("%v, %s logins", c, want)
			}
			return true
		})
		s, err := front.Status(t.Context())
		if err != nil || s.Dead != 0 || e.fake.Over() != 0 || len(e.fake.Contacts()) != people || crashes != 12 {
			t.Errorf("%+v %v: %d over the limit, %d contacts, %d crashes", s, err, e.fake.Over(), len(e.fake.Contacts()),
				crashes)
		}
	})
}
