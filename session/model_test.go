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

// The model says what a visitor may see, whatever happens in whatever order to two replicas, their clock and their Redis.
//
//   - An ended session is accepted by nobody; while Redis is away, only by a replica that has not heard of the end, and no longer than
//     outage_grace after it confirmed the session.
//   - Nothing is accepted past its absolute end, or idle_timeout after its last use.
//   - Nobody is told "not logged in" whose session neither ended nor ran out: a fault of Redis is "cannot tell".

// twin is a session as the model knows it.
type twin struct {
	cookie    *http.Cookie
	ref       string
	created   time.Time
	used      time.Time    // last accepted
	confirmed [2]time.Time // when each replica could last have heard from Redis that it lives
	ended     bool
	endedBy   int // the replica that knows without Redis
}

// run is one random history.
type run struct {
	*world
	rng      *rand.Rand
	replicas [2]*Manager
	stop     [2]context.CancelFunc // ends a replica's subscription; nil while it has none
	stopped  [2]chan struct{}
	twins    []*twin
	history  []string
}

const steps = 300

func TestWhateverHappensSessionsEndWhenTheyShouldAndNeverOtherwise(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{1, 2, 3, 4, 5, 6, uint64(time.Now().UnixNano())} {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			r := newRun(t, seed)
			for range steps {
				r.step()
				if t.Failed() {
					t.Fatalf("history:\n%v", r.history[max(0, len(r.history)-40):])
				}
			}
		})
	}
}

func newRun(t *testing.T, seed uint64) *run {
	w := newWorld(t)
	w.cfg.Lifetime, w.cfg.IdleTimeout = minutes(120), minutesOrNone(20)
	w.cfg.CacheTTL, w.cfg.OutageGrace = minutesOrNone(1), minutesOrNone(5)
	r := &run{world: w, rng: rand.New(rand.NewPCG(seed, 0))}
	for i := range r.replicas {
		if i == 1 && seed%2 == 0 {
			w.cfg.CacheTTL = 0 // one that asks Redis each time
		}
		r.replicas[i] = w.replica(nil)
		r.replicas[i].retries.every = 10 * time.Millisecond
		r.listen(i)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var settling sync.WaitGroup
	for _, m := range r.replicas {
		settling.Go(func() { m.retries.loop(ctx) })
	}
	t.Cleanup(func() {
		cancel()
		settling.Wait()
		for i := range r.replicas {
			r.deafen(i)
		}
	})
	return r
}

// listen gives a replica its subscription.
func (r *run) listen(i int) {
	if r.stop[i] != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.replicas[i].subscription.loop(ctx) }()
	r.stop[i], r.stopped[i] = cancel, done
	r.eventually("subscribed", func() bool { return r.replicas[i].cache.epoch.current() != 0 })
}

// deafen takes it away, and returns when the replica knows: until then an end may be on its way to it.
func (r *run) deafen(i int) {
	if r.stop[i] != nil {
		r.stop[i]()
		<-r.stopped[i]
		r.stop[i] = nil
	}
}

func (r *run) note(format string, args ...any) {
	r.history = append(r.history, r.clock.Now().Format("15:04:05 ")+fmt.Sprintf(format, args...)+"\n")
}

func (r *run) step() {
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
			r.note("replica %d hears nothing", i)
			r.deafen(i)
		} else {
			r.note("replica %d hears again", i)
			r.listen(i)
		}
	case n < 98 && !r.outage:
		r.note("redis away")
		r.redis.SetError("ERR away")
		r.outage = true
	case n >= 96 && r.outage:
		r.heal()
	}
}

func (r *run) begin() {
	s := ada()
	s.Subject = fmt.Sprint("user-", len(r.twins))
	cookie, started := r.login(r.replicas[r.rng.IntN(2)], s)
	now := r.clock.Now()
	r.twins = append(r.twins, &twin{cookie: cookie, ref: started.Ref, created: now, used: now})
	r.note("login %d", len(r.twins)-1)
}

func (r *run) pass() {
	d := time.Duration(r.rng.IntN(90)) * time.Second
	if r.rng.IntN(10) == 0 {
		d = time.Duration(r.rng.IntN(25)) * time.Minute
	}
	r.clock.pass(d)
	r.note("%s pass", d)
}

// stay is a visitor who is never idle, until the session's absolute end and a little longer: Redis' own expiry is no help to a replica
// that has just confirmed the session.
func (r *run) stay() {
	if len(r.twins) == 0 {
		return
	}
	n, i := r.pick(), r.rng.IntN(2)
	w := r.twins[n]
	end := w.created.Add(r.cfg.Lifetime.D())
	for left := end.Sub(r.clock.Now()); left > 0 && !w.ended; left = end.Sub(r.clock.Now()) {
		r.clock.pass(min(r.cfg.IdleTimeout.D()/2, max(left-10*time.Second, 20*time.Second)))
		r.visitAt(n, i)
	}
}

// visit asks one replica with one session's cookie and holds the answer against the model.
func (r *run) visit() {
	if len(r.twins) > 0 {
		r.visitAt(r.pick(), r.rng.IntN(2))
	}
}

// pick chooses a session: one of the latest three more often than not, so that some have a long history.
func (r *run) pick() int {
	if r.rng.IntN(3) > 0 {
		return len(r.twins) - 1 - r.rng.IntN(min(3, len(r.twins)))
	}
	return r.rng.IntN(len(r.twins))
}

func (r *run) visitAt(n, i int) {
	w, now := r.twins[n], r.clock.Now()
	rec := httptest.NewRecorder()
	_, err := r.replicas[i].Load(rec, r.request(w.cookie))
	r.note("visit %d on replica %d: %v", n, i, err)
	over := now.Sub(w.created) >= r.cfg.Lifetime.D() || now.Sub(w.used) >= r.cfg.IdleTimeout.D()
	// The idle clock is written once in a tenth of the time-out: another replica may know an older one.
	near := now.Sub(w.used) >= r.cfg.IdleTimeout.D()*8/10
	switch {
	case err == nil:
		r.accepted(w, n, i, over)
	case errors.Is(err, ErrNoSession) && !w.ended && !over && !near:
		r.t.Errorf("session %d was ended by nobody, and replica %d says %v", n, i, err)
	case !errors.Is(err, ErrNoSession) && !r.outage && !errors.Is(err, context.DeadlineExceeded): // a busy machine is no fault
		r.t.Errorf("replica %d cannot tell although Redis answers: %v", i, err)
	}
	if errors.Is(err, ErrNoSession) && !w.ended { // it ran out: no replica may take it up again once Redis knows
		w.ended, w.endedBy = true, i
		if !r.outage {
			r.eventually("a session that ran out is gone", func() bool { return !r.redis.Exists(r.replicas[i].store.keys.record(w.ref)) })
		}
	}
	if len(rec.Result().Cookies()) != 0 {
		r.t.Errorf("the cookie was touched: %v", rec.Result().Cookies())
	}
}

func (r *run) accepted(w *twin, n, i int, over bool) {
	now := r.clock.Now()
	stale := r.outage && i != w.endedBy && now.Sub(w.confirmed[i]) < r.cfg.OutageGrace.D()
	switch {
	case over:
		r.t.Errorf("session %d was accepted past its time", n)
	case w.ended && !stale:
		r.t.Errorf("session %d has ended and replica %d accepted it; confirmed %s ago", n, i, now.Sub(w.confirmed[i]))
	}
	w.used = now
	if !r.outage {
		w.confirmed[i] = now
	}
}
