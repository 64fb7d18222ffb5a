package session

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func TestRedisErrorIsNeverALogout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	cookie, _ := w.login(m, ada())
	w.redis.SetError("ERR out of order")
	rec := httptest.NewRecorder()
	_, err := m.Load(rec, w.request(cookie))
	if got := w.reason(m, cookie); got != "unavailable" {
		t.Errorf("while Redis is down: %q (%v)", got, err)
	}
	if len(rec.Result().Cookies()) != 0 {
		t.Error("the cookie was touched")
	}
	w.redis.SetError("")
	if got := w.reason(m, cookie); got != "" {
		t.Errorf("after Redis came back: %q", got)
	}
}

func TestKnownSessionSurvivesAnOutageWithinGrace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	known, _ := w.login(m, ada())
	unknown, _ := w.login(m, ada())
	w.mustLoad(m, known)
	w.redis.SetError("ERR down")
	w.outage = true
	if got := w.reason(m, known); got != "" {
		t.Errorf("a session known here: %q", got)
	}
	if got := w.reason(m, unknown); got != "unavailable" {
		t.Errorf("a session not known here: %q", got)
	}
	w.clock.pass(w.cfg.OutageGrace.D())
	if got := w.reason(m, known); got != "unavailable" {
		t.Errorf("after outage_grace: %q", got)
	}
}

func TestEndIsRetriedUntilRedisIsBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	w.subscribed(m)
	cookie, s := w.login(m, ada())
	w.mustLoad(m, cookie)
	w.redis.SetError("ERR down")
	w.outage = true
	rec := httptest.NewRecorder()
	m.End(rec, w.request(cookie))
	if c := rec.Result().Cookies(); len(c) != 1 || c[0].MaxAge >= 0 {
		t.Errorf("the cookie was not cleared: %v", c)
	}
	if got := w.reason(m, cookie); got == "" {
		t.Error("the session is still accepted here")
	}
	w.redis.SetError("")
	w.outage = false
	w.eventually("the record is gone", func() bool { return !w.redis.Exists("hubgate:s:{" + s.Ref + "}") })
}

// The replica has never read the session, so it does not know yet whose other sessions to end.
func TestEndEverywhereDuringAnOutageEndsTheOthersLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	elsewhere := w.replica(nil)
	cookie, s := w.login(elsewhere, ada())
	_, other := w.login(elsewhere, ada())
	bob := ada()
	bob.Subject = "bob"
	_, stranger := w.login(elsewhere, bob)
	m := w.replica(nil)
	w.subscribed(m)
	w.redis.SetError("ERR down")
	w.outage = true
	if _, err := m.EndEverywhere(httptest.NewRecorder(), w.request(cookie)); err == nil || errors.Is(err, ErrNoSession) {
		t.Fatal(err)
	}
	w.clock.pass(time.Second)
	w.redis.SetError("")
	_, later := w.login(elsewhere, ada())
	w.outage = false
	w.eventually("all sessions of that time are gone", func() bool {
		return !w.redis.Exists(m.store.keys.record(s.Ref)) && !w.redis.Exists(m.store.keys.record(other.Ref))
	})
	if !w.redis.Exists(m.store.keys.record(stranger.Ref)) || !w.redis.Exists(m.store.keys.record(later.Ref)) {
		t.Error("ended another user's session, or a later one")
	}
}

func TestRetriesRunBeforeTheProcessExits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	cookie, s := w.login(m, ada())
	w.redis.SetError("ERR down")
	m.End(httptest.NewRecorder(), w.request(cookie))
	w.redis.SetError("")
	ctx, stop := context.WithCancel(t.Context())
	stop() // canceled before it has begun
	m.Run(ctx)
	if w.redis.Exists(m.store.keys.record(s.Ref)) {
		t.Error("the ended session still has a record")
	}
}

func TestEndReachesCachingReplicas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.CacheTTL = minutesOrNone(5)
	one, two := w.replica(nil), w.replica(nil)
	w.subscribed(one)
	w.subscribed(two)
	cookie, s := w.login(one, ada())
	w.mustLoad(two, cookie)
	before := w.redis.CommandCount()
	if got := w.reason(two, cookie); got != "" || w.redis.CommandCount() != before {
		t.Errorf("a cached session: %q after %d commands", got, w.redis.CommandCount()-before)
	}
	ended, release := two.Ended(s.Ref)
	defer release()
	one.End(httptest.NewRecorder(), w.request(cookie))
	<-ended
	if got := w.reason(two, cookie); got != string(RecordMissing) {
		t.Errorf("on the other replica: %q", got)
	}
}

func TestCacheIsNotTrustedWithoutASubscription(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.CacheTTL = minutesOrNone(5)
	one, two := w.replica(nil), w.replica(nil)
	cookie, _ := w.login(one, ada())
	w.mustLoad(two, cookie)
	one.End(httptest.NewRecorder(), w.request(cookie))
	if got := w.reason(two, cookie); got != string(RecordMissing) {
		t.Errorf("on a replica without a subscription: %q", got)
	}
}

// go-redis returns the error of a new connection as the error of the pipeline; the commands have none.
func TestRejectedPasswordIsNotALogout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cookie, _ := w.login(w.replica(nil), ada())
	w.redis.RequireAuth("the right one")
	w.password = "an old one"
	m := w.replica(nil)
	if got := w.reason(m, cookie); got != "unavailable" {
		t.Errorf("while Redis rejects the password: %q", got)
	}
	if _, err := m.List(t.Context(), Query{Limit: 10}); err == nil {
		t.Error("an empty list while Redis rejects the password")
	}
	if _, err := m.store.summaries(t.Context(), m.store.keys.shard("0"), []redis.Z{{Member: "0"}}); err == nil {
		t.Error("empty summaries while Redis rejects the password")
	}
}
