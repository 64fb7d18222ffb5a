package hubspot

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/setting"
)

// faultyAPI fails calls to HubSpot, and notes when they were made.
type faultyAPI struct {
	mu    sync.Mutex
	calls []time.Time
	// fail responds to the n-th call in its place, or returns false.
	fail func(n int, w http.ResponseWriter, r *http.Request) bool
}

// wrap is put before the API of an account.
func (h *faultyAPI) wrap(c *fakehubspot.Config) {
	c.Wrap = func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h.mu.Lock()
			h.calls = append(h.calls, time.Now())
			n := len(h.calls)
			h.mu.Unlock()
			if !h.fail(n, w, r) {
				next.ServeHTTP(w, r)
			}
		})
	}
}

// count returns how many calls were made.
func (h *faultyAPI) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.calls)
}

// checkBudget reports a window with more calls than the rate limit allows.
func (h *faultyAPI) checkBudget(t *testing.T, rate setting.Rate) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.calls {
		if j := i + rate.Requests; j < len(h.calls) && h.calls[j].Sub(h.calls[i]) < rate.Per.D() {
			t.Errorf("%d calls in %s", rate.Requests+1, h.calls[j].Sub(h.calls[i]))
			return
		}
	}
}

// outageOf fails calls until a time, each time in another way.
func outageOf(until time.Time) func(int, http.ResponseWriter, *http.Request) bool {
	return func(n int, w http.ResponseWriter, r *http.Request) bool {
		if !time.Now().Before(until) {
			return false
		}
		switch n % 7 {
		case 0:
			<-r.Context().Done()
		case 1:
			panic(http.ErrAbortHandler)
		case 2:
			http.Error(w, "<html>maintenance", http.StatusOK)
		case 3:
			http.Error(w, "<html>blocked", http.StatusForbidden)
		case 4:
			w.Header().Set("Retry-After", "20")
			http.Error(w, `{"status":"error","category":"RATE_LIMITS"}`, http.StatusTooManyRequests)
		default:
			http.Error(w, "<html>bad gateway", http.StatusBadGateway+n%3)
		}
		return true
	}
}

// outageLogin is a person's login with a value that only this login has.
func outageLogin(person, n int) outbox.Login {
	l := testLogin(fmt.Sprintf("p%d@example.com", person))
	l.Claims["given_name"] = fmt.Sprintf("Name %d of %d", n, person)
	if n%3 == 1 {
		l.Groups = []string{"members", fmt.Sprint("group-", n)}
	}
	return l
}

// TestLongOutageKeepsTheLatestLogins has two hours without HubSpot, in which people log in all the time, two a
// minute, and replicas come and go.
func TestLongOutageKeepsTheLatestLogins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const people, outage = 100, 2 * time.Hour
		begin := time.Now()
		api := &faultyAPI{fail: outageOf(begin.Add(outage + time.Minute))}
		e := newEnv(t, usualProperties(), api.wrap)
		r := e.startReplica()
		logins := make([]int, people)
		for i := 0; time.Since(begin) < outage; i++ {
			person := i * 7 % people
			if i%5 == 0 {
				person = i % 10 // some log in often
			}
			logins[person]++
			e.enqueue(r, outageLogin(person, logins[person]))
			time.Sleep(30 * time.Second)
			if i%66 == 33 { // an update of hubgate
				next := e.startReplica()
				r.stop()
				r = next
			}
		}
		if n := api.count(); n > 2*60*4 {
			t.Errorf("%d calls in vain", n)
		}
		if ok, detail, _ := r.Health(); ok {
			t.Errorf("healthy at the end of the outage: %s", detail)
		}
		if s, err := r.Status(t.Context()); err != nil || s.Dead != 0 {
			t.Errorf("%+v %v", s, err)
		}
		ended := time.Now()
		e.waitDrained(r)
		if took := time.Since(ended); took > 10*time.Minute {
			t.Errorf("the queue was sent after %s", took)
		}
		api.checkBudget(t, e.cfg.RateLimit)
		e.checkLatest(logins)
		if ok, detail, _ := r.Health(); !ok {
			t.Error(detail)
		}
		if s, err := r.Status(t.Context()); err != nil || s.Dead != 0 {
			t.Errorf("%+v %v", s, err)
		}
	})
}

// checkLatest reports people whose contact does not have the values of their latest login and the number of logins.
func (e *env) checkLatest(logins []int) {
	e.t.Helper()
	contacts := map[string]map[string]string{}
	for _, c := range e.fake.Contacts() {
		contacts[c.Properties["email"]] = c.Properties
	}
	for person, n := range logins {
		if n == 0 {
			continue
		}
		want := outageLogin(person, n)
		c := contacts[want.Email]
		if c["firstname"] != want.Claims["given_name"] || c["portal_logins"] != strconv.Itoa(n) ||
			c["portal_groups"] != strings.Join(want.Groups, ";") {
			e.t.Errorf("%s after %d logins: %v", want.Email, n, c)
		}
	}
}
