package session

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/faultproxy"
	"github.com/hubgate/hubgate/internal/redisclient"
)

// Failed reads while Redis is not known to be down do not affect the sessions that this replica knows.

// unreliable is a hook that lets the next reads of sessions fail.
type unreliable struct {
	failures atomic.Int64 // left
	err      error
	during   func() // runs during each failure
}

func (u *unreliable) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (u *unreliable) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }
func (u *unreliable) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if u.failures.Add(-1) < 0 {
			return next(ctx, cmds)
		}
		if u.during != nil {
			u.during()
		}
		for _, cmd := range cmds {
			cmd.SetErr(u.err)
		}
		return u.err
	}
}

func (w *world) unreliable(m *Manager, u *unreliable) {
	rdb := redis.NewClient(&redis.Options{Addr: w.redis.Addr(), MaxRetries: -1})
	rdb.AddHook(u)
	w.t.Cleanup(func() { rdb.Close() })
	m.store.reads.Redis = rdb
}

// always is more than the number of tries.
const always = 1 << 30

func TestKnownSessionSurvivesFailedReads(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]error{
		"full pool": redis.ErrPoolTimeout,
		"timeout":   context.DeadlineExceeded,
		"loading":   answer("LOADING Redis is loading the dataset in memory"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			m := w.replica(nil)
			known, _ := w.login(m, ada())
			unknown, _ := w.login(m, ada())
			w.mustLoad(m, known)
			u := &unreliable{err: failure}
			u.failures.Store(always)
			w.unreliable(m, u)
			if got := w.reason(m, known); got != "" {
				t.Errorf("the known session: %q", got)
			}
			if got := w.reason(m, unknown); got != "unavailable" {
				t.Errorf("the unknown session: %q", got)
			}
		})
	}
}

// answer is an error that Redis returned.
type answer string

func (a answer) Error() string { return string(a) }
func (answer) RedisError()     {}

func TestFailedReadIsRetried(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]error{
		"a broken connection": errors.New("EOF"),
		"a time-out":          context.DeadlineExceeded,
		"a fail-over":         answer("MASTERDOWN Link with MASTER is down"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.cfg.OutageGrace = 0
			m := w.replica(nil)
			cookie, _ := w.login(m, ada())
			u := &unreliable{err: failure}
			u.failures.Store(3)
			w.unreliable(m, u)
			if got := w.reason(m, cookie); got != "" {
				t.Errorf("at the fourth try: %q", got)
			}
		})
	}
}

func TestSessionThatEndsDuringAFailedReadIsOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	cookie, s := w.login(m, ada())
	w.mustLoad(m, cookie)
	u := &unreliable{err: errors.New("EOF"), during: func() { m.cache.onEvent("end " + s.Ref) }}
	u.failures.Store(always)
	w.unreliable(m, u)
	if _, err := w.load(m, cookie); err == nil {
		t.Error("accepted after the end was received")
	}
}

func TestNoRequestWaitsWhileRedisIsDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	network, err := faultproxy.New(w.redis.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { network.Close() })
	m := w.replica(nil)
	known, _ := w.login(m, ada())
	unknown, _ := w.login(m, ada())
	w.mustLoad(m, known)
	rdb := redis.NewClient(&redis.Options{Addr: network.Addr(), MaxRetries: -1})
	t.Cleanup(func() { rdb.Close() })
	m.store.reads.Redis = rdb
	if err := network.Set(faultproxy.Fault{Hang: true}); err != nil {
		t.Fatal(err)
	}
	w.outage = true
	for range 5 {
		if got := w.reason(m, known); got != "" {
			t.Errorf("the known session: %q", got)
		}
		if got := w.reason(m, unknown); got != "unavailable" {
			t.Errorf("the unknown session: %q", got)
		}
	}
	if _, err := m.Peek(w.request(unknown)); !errors.Is(err, errDown) {
		t.Errorf("the unknown session: %v", err)
	}
	if n := network.Accepted(); n != 0 {
		t.Errorf("%d connections to Redis", n)
	}
	w.outage = false
	if err := network.Set(faultproxy.Fault{}); err != nil {
		t.Fatal(err)
	}
	if got := w.reason(m, unknown); got != "" {
		t.Errorf("afterwards: %q", got)
	}
}

// While Redis is read-only the idle clock of another replica may be missing, so a session that looks idle is neither
// accepted nor ended.
func TestIdleTimeIsUnknownWhileRedisIsReadOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.IdleTimeout = minutesOrNone(10)
	m := w.replica(nil)
	cookie, s := w.login(m, ada())
	w.clock.pass(w.cfg.IdleTimeout.D())
	readOnly := true
	m.setState(func() redisclient.State { return redisclient.State{ReadOnly: readOnly, Since: w.clock.Now()} })
	if _, err := m.Load(httptest.NewRecorder(), w.request(cookie)); !errors.Is(err, errIdleUnknown) {
		t.Errorf("idle while Redis is read-only: %v", err)
	}
	if ok, _, _ := m.Health(); ok || !w.redis.Exists(m.store.keys.record(s.Ref)) {
		t.Errorf("healthy: %v, or the session was ended", ok)
	}
	readOnly = false
	if got := w.reason(m, cookie); got != string(Expired) {
		t.Errorf("idle: %q", got)
	}
}

func TestKnownSessionIsTriedOnceAfterATimeout(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]error{
		"maxclients is reached": answer("ERR max number of clients reached"),
		"a closed connection":   errors.New("EOF"),
		"a refused connection":  syscall.ECONNREFUSED,
		"a dropped SYN":         context.DeadlineExceeded,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			m := w.replica(nil)
			known, _ := w.login(m, ada())
			ended, s := w.login(m, ada())
			unknown, _ := w.login(m, ada())
			for _, cookie := range []*http.Cookie{known, ended} {
				w.mustLoad(m, cookie)
			}
			u := &unreliable{err: failure}
			w.unreliable(m, u)
			tries := func(cookie *http.Cookie, want string) int64 {
				u.failures.Store(always)
				if got := w.reason(m, cookie); got != want {
					t.Errorf("%q instead of %q", got, want)
				}
				return always - u.failures.Load()
			}
			if n := tries(known, ""); n < 2 {
				t.Errorf("the first load: %d tries", n)
			}
			for range 20 {
				if n := tries(known, ""); n != 1 {
					t.Errorf("%d tries", n)
				}
			}
			m.cache.onEvent("end " + s.Ref)
			if n := tries(ended, string(RecordMissing)); n != 0 {
				t.Errorf("a session that ended: %d tries", n)
			}
			if n := tries(unknown, "unavailable"); n < 2 {
				t.Errorf("a session that is not usable in an outage: %d tries", n)
			}
			u.failures.Store(0)
			if got := w.reason(m, unknown); got != "" {
				t.Errorf("with a reply: %q", got)
			}
			w.clock.pass(shortFor)
			if n := tries(known, ""); n < 2 {
				t.Errorf("a second later: %d tries", n)
			}
			w.clock.pass(w.cfg.OutageGrace.D())
			if n := tries(known, "unavailable"); n < 2 {
				t.Errorf("after outage_grace: %d tries", n)
			}
		})
	}
}

func TestShortTryFindsASessionThatEndedElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	cookie, s := w.login(m, ada())
	w.mustLoad(m, cookie)
	u := &unreliable{err: errors.New("EOF")}
	u.failures.Store(always)
	w.unreliable(m, u)
	w.reason(m, cookie)
	if _, err := w.replica(nil).EndRef(t.Context(), s.Ref); err != nil {
		t.Fatal(err)
	}
	u.failures.Store(0)
	if got := w.reason(m, cookie); got != string(RecordMissing) {
		t.Errorf("%q", got)
	}
}
