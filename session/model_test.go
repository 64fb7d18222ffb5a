package session

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// The model states which sessions are accepted during a random history of two replicas, their clock and their Redis.
//
//   - An ended session is never accepted. While Redis is down, a replica that has not received the end may accept it
//     until outage_grace after it confirmed the session.
//   - No session is accepted after its absolute end, or idle_timeout after its last use.
//   - No visitor counts as logged out whose session neither ended nor expired: an error of Redis is "unavailable".

// modelSession is a session as the model knows it.
type modelSession struct {
	cookie    *http.Cookie
	ref       string
	created   time.Time
	used      time.Time    // last accepted
	confirmed [2]time.Time // when Redis could last have confirmed it to each replica
	ended     bool
	endedBy   int // the replica that has a tombstone
}

// history is one random history.
type history struct {
	*world
	rng      *rand.Rand
	replicas [2]*Manager
	stop     [2]context.CancelFunc // stops a replica's subscription; nil while it has none
	stopped  [2]chan struct{}
	sessions []*modelSession
	events   []string
}

const steps = 300

func TestModelOfSessionsHolds(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{1, 2, 3, 4, 5, 6, 1795899350314982445, uint64(time.Now().UnixNano())} {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			r := newHistory(t, seed)
			for range steps {
				r.step()
				if t.Failed() {
					t.Fatalf("history:\n%v", r.events[max(0, len(r.events)-40):])
				}
			}
		})
	}
}

func newHistory(t *testing.T, seed uint64) *history {
	w := newWorld(t)
	w.cfg.Lifetime, w.cfg.IdleTimeout = minutes(120), minutesOrNone(20)
	w.cfg.CacheTTL, w.cfg.OutageGrace = minutesOrNone(1), minutesOrNone(5)
	r := &history{world: w, rng: rand.New(rand.NewPCG(seed, 0))}
	for i := range r.replicas {
		if i == 1 && seed%2 == 0 {
			w.cfg.CacheTTL = 0 // one that asks Redis each time
		}
		r.replicas[i] = w.replica(nil)
		r.replicas[i].retries.every = 10 * time.Millisecond
		r.subscribe(i)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var retrying sync.WaitGroup
	for _, m := range r.replicas {
		retrying.Go(func() { m.retries.loop(ctx) })
	}
	t.Cleanup(func() {
		cancel()
		retrying.Wait()
		for i := range r.replicas {
			r.unsubscribe(i)
		}
	})
	return r
}

// subscribe starts a replica's subscription.
func (r *history) subscribe(i int) {
	if r.stop[i] != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.replicas[i].subscription.Loop(ctx) }()
	r.stop[i], r.stopped[i] = cancel, done
	r.eventually("subscribed", func() bool { return r.replicas[i].cache.epoch.current() != 0 })
}

// unsubscribe stops a replica's subscription and waits until it is down.
func (r *history) unsubscribe(i int) {
	if r.stop[i] != nil {
		r.stop[i]()
		<-r.stopped[i]
		r.stop[i] = nil
	}
}

func (r *history) note(format string, args ...any) {
	r.events = append(r.events, r.clock.Now().Format("15:04:05 ")+fmt.Sprintf(format, args...)+"\n")
}

func (r *history) step() {
	switch n := r.rng.IntN(100); {
	case n < 5 && !r.outage:
		r.begin()
	case n < 65:
		r.visit()
	case n < 80:
		r.pass()
	case n < 88:
		r.finish()
	case n < 90 && !r.outage:
		r.finishEverybody()
	case n < 91:
		r.stay()
	case n < 95 && !r.outage:
		i := r.rng.IntN(2)
		if r.stop[i] != nil {
			r.note("replica %d unsubscribes", i)
			r.unsubscribe(i)
		} else {
			r.note("replica %d subscribes", i)
			r.subscribe(i)
		}
	case n < 98 && !r.outage:
		r.note("redis down")
		r.redis.SetError("ERR down")
		r.outage = true
	case n >= 96 && r.outage:
		r.heal()
	}
}

func (r *history) begin() {
	s := ada()
	s.Subject = fmt.Sprint("user-", len(r.sessions))
	cookie, started := r.login(r.replicas[r.rng.IntN(2)], s)
	now := r.clock.Now()
	r.sessions = append(r.sessions, &modelSession{cookie: cookie, ref: started.Ref, created: now, used: now})
	r.note("login %d", len(r.sessions)-1)
}

func (r *history) pass() {
	d := time.Duration(r.rng.IntN(90)) * time.Second
	if r.rng.IntN(10) == 0 {
		d = time.Duration(r.rng.IntN(25)) * time.Minute
	}
	r.clock.pass(d)
	r.note("%s pass", d)
}

// stay visits one session until its absolute end, without being idle, and a little longer: a replica that has just
// confirmed the session must expire it itself.
func (r *history) stay() {
	if len(r.sessions) == 0 {
		return
	}
	n, i := r.pick(), r.rng.IntN(2)
	w := r.sessions[n]
	end := w.created.Add(r.cfg.Lifetime.D())
	for left := end.Sub(r.clock.Now()); left > 0 && !w.ended; left = end.Sub(r.clock.Now()) {
		r.clock.pass(min(r.cfg.IdleTimeout.D()/2, max(left-10*time.Second, 20*time.Second)))
		r.visitAt(n, i)
	}
}

// visit loads one session on one replica and compares the result with the model.
func (r *history) visit() {
	if len(r.sessions) > 0 {
		r.visitAt(r.pick(), r.rng.IntN(2))
	}
}

// pick chooses a session, mostly one of the latest three, so that some have a long history.
func (r *history) pick() int {
	if r.rng.IntN(3) > 0 {
		return len(r.sessions) - 1 - r.rng.IntN(min(3, len(r.sessions)))
	}
	return r.rng.IntN(len(r.sessions))
}

func (r *history) visitAt(n, i int) {
	w, now := r.sessions[n], r.clock.Now()
	rec := httptest.NewRecorder()
	_, err := r.replicas[i].Load(rec, r.request(w.cookie))
	r.note("visit %d on replica %d: %v", n, i, err)
	over := now.Sub(w.created) >= r.cfg.Lifetime.D() || now.Sub(w.used) >= r.cfg.IdleTimeout.D()
	// The idle clock is saved once per tenth of the timeout: another replica may have an older one.
	near := now.Sub(w.used) >= r.cfg.IdleTimeout.D()*8/10
	switch {
	case err == nil:
		r.accepted(w, n, i, over)
	case errors.Is(err, ErrNoSession) && !w.ended && !over && !near:
		r.t.Errorf("session %d has not ended, but replica %d returns %v", n, i, err)
	case !errors.Is(err, ErrNoSession) && !r.outage && !errors.Is(err, context.DeadlineExceeded): // the machine is busy
		r.t.Errorf("replica %d reports an error although Redis is up: %v", i, err)
	}
	if errors.Is(err, ErrNoSession) && !w.ended { // it expired: no replica may accept it again once Redis has the end
		w.ended, w.endedBy = true, i
		if !r.outage {
			record := r.replicas[i].store.keys.record(w.ref)
			r.eventually("an expired session is gone", func() bool { return !r.redis.Exists(record) })
		}
	}
	if len(rec.Result().Cookies()) != 0 {
		r.t.Errorf("the cookie was changed: %v", rec.Result().Cookies())
	}
}

func (r *history) accepted(w *modelSession, n, i int, over bool) {
	now := r.clock.Now()
	stale := r.outage && i != w.endedBy && now.Sub(w.confirmed[i]) < r.cfg.OutageGrace.D()
	switch {
	case over:
		r.t.Errorf("session %d was accepted after it expired", n)
	case w.ended && !stale:
		r.t.Errorf("session %d has ended and replica %d accepted it; confirmed %s ago", n, i, now.Sub(w.confirmed[i]))
	}
	w.used = now
	if !r.outage {
		w.confirmed[i] = now
	}
}
