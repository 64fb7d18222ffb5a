package session

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hubgate/hubgate/internal/fields"
	"github.com/redis/go-redis/v9"
)

// A session ends only on evidence. A missing, late or unreachable value is not evidence.

func TestLostSummaryIsNotIdleness(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(w *world, key string){
		"gone":            func(w *world, key string) { w.redis.Del(key) },
		"damaged":         func(w *world, key string) { w.redis.Set(key, "damaged") },
		"of another type": func(w *world, key string) { w.redis.Del(key); w.redis.Lpush(key, "x") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.cfg.IdleTimeout = minutesOrNone(10)
			m := w.replica(nil)
			cookie, s := w.login(m, ada())
			for range 4 {
				w.clock.pass(5 * time.Minute)
				w.mustLoad(m, cookie)
			}
			lose(w, m.store.keys.summary(s.Ref))
			other := w.replica(nil)
			if got := w.reason(other, cookie); got != "" {
				t.Errorf("used five minutes ago: %q", got)
			}
			w.clock.pass(11 * time.Minute)
			if got := w.reason(other, cookie); got != string(Expired) {
				t.Errorf("idle since then: %q", got)
			}
		})
	}
}

func TestIdleSessionIsReadAgainBeforeItEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.IdleTimeout, w.cfg.CacheTTL, w.cfg.OutageGrace = minutesOrNone(10), minutesOrNone(60), minutesOrNone(60)
	old, busy := w.replica(nil), w.replica(nil)
	w.subscribed(old)
	w.subscribed(busy)
	cookie, s := w.login(old, ada())
	w.mustLoad(old, cookie)
	for range 3 {
		w.clock.pass(6 * time.Minute)
		w.mustLoad(busy, cookie)
	}
	if got := w.reason(old, cookie); got != "" {
		t.Errorf("in use on the other replica: %q", got)
	}
	w.redis.SetError("ERR down")
	w.outage = true
	w.clock.pass(9 * time.Minute)
	w.mustLoad(busy, cookie)
	w.clock.pass(2 * time.Minute)
	if got := w.reason(old, cookie); got != "unavailable" {
		t.Errorf("idle here while Redis is down: %q", got)
	}
	w.redis.SetError("")
	w.outage = false
	w.eventually("the idle clock is saved", func() bool {
		sealed, _ := w.redis.Get(old.store.keys.summary(s.Ref))
		u, err := decodeSummary(w.ring, s.Ref, []byte(sealed))
		return err == nil && w.clock.Now().Sub(fields.FromMillis(u.Seen)) < 3*time.Minute
	})
	if got := w.reason(old, cookie); got != "" {
		t.Errorf("after the outage: %q", got)
	}
}

func TestEndDuringAnOutageOutlivesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil) // it does not run, so nothing is retried
	cookie, _ := w.login(m, ada())
	w.redis.SetError("ERR down")
	w.outage = true
	m.End(httptest.NewRecorder(), w.request(cookie))
	w.clock.pass(w.cfg.OutageGrace.D() + w.cfg.CacheTTL.D() + time.Hour)
	w.redis.SetError("")
	w.outage = false
	if got := w.reason(m, cookie); got != string(RecordMissing) {
		t.Errorf("ended an hour ago: %q", got)
	}
}

func TestFullCacheKeepsTombstones(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.CacheTTL = minutesOrNone(5)
	m := w.replica(nil)
	cookie, s := w.login(m, ada())
	ticket, _ := parseTicket(cookie.Value, w.ring)
	// a load that begins before the end
	slow, err := m.cache.fetch(t.Context(), ticket, binding(s.Ref, s.Host, issuer, clientID))
	if err != nil {
		t.Fatal(err)
	}
	m.End(httptest.NewRecorder(), w.request(cookie))
	m.cache.sessions.SetMaximum(100)
	for i := range 1_000 {
		m.cache.sessions.Set(fmt.Sprint(i), slow)
	}
	m.cache.put(s.Ref, slow)
	if _, found := m.cache.sessions.GetIfPresent(s.Ref); found {
		t.Error("the ended session is in the cache")
	}
	if got := w.reason(m, cookie); got != string(RecordMissing) {
		t.Errorf("ended session: %q", got)
	}
}

func TestPutKeepsTheLaterRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	cookie, s := w.login(m, ada())
	ticket, _ := parseTicket(cookie.Value, w.ring)
	aad := binding(s.Ref, s.Host, issuer, clientID)
	older, err := m.cache.fetch(t.Context(), ticket, aad)
	if err != nil {
		t.Fatal(err)
	}
	w.clock.pass(time.Second)
	later, err := m.cache.fetch(t.Context(), ticket, aad)
	if err != nil {
		t.Fatal(err)
	}
	m.cache.put(s.Ref, older)
	if now, _ := m.cache.sessions.GetIfPresent(s.Ref); now != later {
		t.Error("the older read is in the cache")
	}
}

func TestEndLostByAFailoverIsRepeated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := w.replica(nil), w.replica(nil)
	w.subscribed(one)
	cookie, s := w.login(one, ada())
	record, _ := w.redis.Get(one.store.keys.record(s.Ref))
	summary, _ := w.redis.Get(one.store.keys.summary(s.Ref))
	one.End(httptest.NewRecorder(), w.request(cookie))
	w.redis.Set(one.store.keys.record(s.Ref), record) // the new master does not have the end
	w.redis.Set(one.store.keys.summary(s.Ref), summary)
	w.mustLoad(two, cookie)
	one.onUp()
	w.eventually("the record is gone again", func() bool { return !w.redis.Exists(one.store.keys.record(s.Ref)) })
	if got := w.reason(two, cookie); got != string(RecordMissing) {
		t.Errorf("on a replica without a subscription: %q", got)
	}
}

func TestRestoredRecordIsASessionAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.CacheTTL = minutesOrNone(1)
	m := w.replica(nil)
	w.subscribed(m)
	cookie, s := w.login(m, ada())
	record, _ := w.redis.Get(m.store.keys.record(s.Ref))
	w.redis.FlushAll() // restarted empty
	if got := w.reason(m, cookie); got != string(RecordMissing) {
		t.Fatalf("%q", got)
	}
	w.redis.Set(m.store.keys.record(s.Ref), record) // restored from a backup
	w.clock.pass(time.Minute)
	m.onUp()
	if got := w.reason(m, cookie); got != "" {
		t.Errorf("after the backup: %q", got)
	}
}

func TestEndUserIsRetriedAndSparesLaterSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	old, _ := w.login(m, ada())
	w.redis.SetError("ERR down")
	if _, err := m.EndUser(t.Context(), issuer, ada().Subject); err == nil {
		t.Fatal("ended while Redis is down")
	}
	w.redis.SetError("")
	w.clock.pass(time.Second)
	young, _ := w.login(m, ada())
	w.subscribed(m)
	w.eventually("the old session has ended", func() bool { return w.reason(m, old) == string(RecordMissing) })
	w.eventually("the retry queue is empty", func() bool { return len(m.retries.tasks) == 0 })
	if got := w.reason(m, young); got != "" {
		t.Errorf("the session that began later: %q", got)
	}
}

// unconnected is a hook that fails pipelines as go-redis does without a connection: the commands have no error.
type unconnected struct{}

func (unconnected) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (unconnected) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }
func (unconnected) ProcessPipelineHook(redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(context.Context, []redis.Cmder) error { return errors.New("connection refused") }
}

func TestNoReplyIsNotALogout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	cookie, _ := w.login(m, ada())
	dead := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: 1})
	silent := redis.NewClient(&redis.Options{Addr: w.redis.Addr()})
	silent.AddHook(unconnected{})
	sentinel := redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName: "site", SentinelAddrs: []string{"127.0.0.1:1"}, MaxRetries: 1,
	})
	for name, rdb := range map[string]*redis.Client{"refused": dead, "silent": silent, "no sentinel": sentinel} {
		t.Cleanup(func() { rdb.Close() })
		m := w.replica(nil)
		m.store.reads.Redis = rdb
		if got := w.reason(m, cookie); got != "unavailable" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// Two replicas that save an idle clock late, as after an outage, both read the old one first.
func TestLateIdleClockDoesNotReplaceLaterOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m, other := w.replica(nil), w.replica(nil)
	_, s := w.login(m, ada())
	_, stored, known, err := other.store.summary(t.Context(), s.Ref)
	if err != nil || !known {
		t.Fatal(known, err)
	}
	earlier := w.clock.Now().Add(time.Minute).UnixMilli()
	later := w.clock.Now().Add(time.Hour).UnixMilli()
	if err := m.store.replaceSummary(t.Context(), s, later, stored); err != nil {
		t.Fatal(err)
	}
	if err := other.store.replaceSummary(t.Context(), s, earlier, stored); !errors.Is(err, errSummaryChanged) {
		t.Errorf("the earlier clock: %v", err)
	}
	if u, _, _, err := m.store.summary(t.Context(), s.Ref); err != nil || u.Seen != later {
		t.Errorf("seen %d, %v, want %d", u.Seen, err, later)
	}
}
