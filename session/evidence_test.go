package session

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// What ends a session is evidence; what is absent, late or unreachable is none.

func TestALostSummaryIsNoIdleness(t *testing.T) {
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
				if got := w.reason(m, cookie); got != "" {
					t.Fatal(got)
				}
			}
			lose(w, m.store.keys.summary(s.Ref))
			other := w.replica(nil)
			if got := w.reason(other, cookie); got != "" {
				t.Errorf("used five minutes ago: %q", got)
			}
			w.clock.pass(11 * time.Minute)
			if got := w.reason(other, cookie); got != string(Expired) {
				t.Errorf("and idle since: %q", got)
			}
		})
	}
}

func TestAReplicaThatSawAVisitorLongAgoAsksBeforeItCallsThemIdle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.IdleTimeout, w.cfg.CacheTTL, w.cfg.OutageGrace = minutesOrNone(10), minutesOrNone(60), minutesOrNone(60)
	old, busy := w.replica(nil), w.replica(nil)
	w.subscribed(old)
	w.subscribed(busy)
	cookie, s := w.login(old, ada())
	if got := w.reason(old, cookie); got != "" {
		t.Fatal(got)
	}
	for range 3 {
		w.clock.pass(6 * time.Minute)
		if got := w.reason(busy, cookie); got != "" {
			t.Fatal(got)
		}
	}
	if got := w.reason(old, cookie); got != "" {
		t.Errorf("busy on the other replica, and here: %q", got)
	}
	w.redis.SetError("ERR away")
	w.outage = true
	w.clock.pass(9 * time.Minute)
	if got := w.reason(busy, cookie); got != "" {
		t.Fatal(got)
	}
	w.clock.pass(2 * time.Minute)
	if got := w.reason(old, cookie); got != "cannot tell" {
		t.Errorf("idle here, and Redis is away: %q", got)
	}
	w.redis.SetError("")
	w.outage = false
	w.eventually("the idle clock has caught up", func() bool {
		sealed, _ := w.redis.Get(old.store.keys.summary(s.Ref))
		u, err := decodeSummary(w.ring, s.Ref, []byte(sealed))
		return err == nil && w.clock.Now().Sub(fromMillis(u.Seen)) < 3*time.Minute
	})
	if got := w.reason(old, cookie); got != "" {
		t.Errorf("after the outage: %q", got)
	}
}

func TestWhatEndedWhileRedisWasAwayIsNotBackWithRedis(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil) // it does not run: nothing is caught up with
	cookie, _ := w.login(m, ada())
	w.redis.SetError("ERR away")
	w.outage = true
	m.End(httptest.NewRecorder(), w.request(cookie))
	w.clock.pass(w.cfg.OutageGrace.D() + w.cfg.CacheTTL.D() + time.Hour)
	w.redis.SetError("")
	w.outage = false
	if got := w.reason(m, cookie); got != string(RecordMissing) {
		t.Errorf("ended an hour ago, and %q", got)
	}
}

func TestAFullCacheForgetsNoEnding(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.CacheTTL = minutesOrNone(5)
	m := w.replica(nil)
	cookie, s := w.login(m, ada())
	ticket, _ := parseTicket(cookie.Value, w.ring)
	slow, err := m.cache.fetch(t.Context(), ticket, binding(s.Ref, s.Host, issuer, clientID)) // a load that began before the ending
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
		t.Errorf("ended, and %q", got)
	}
}

func TestAnOlderLookDoesNotReplaceALaterOne(t *testing.T) {
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
		t.Error("the older look is in the cache")
	}
}

func TestAnEndingThatAFailoverLostIsDoneAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := w.replica(nil), w.replica(nil)
	w.subscribed(one)
	cookie, s := w.login(one, ada())
	record, _ := w.redis.Get(one.store.keys.record(s.Ref))
	summary, _ := w.redis.Get(one.store.keys.summary(s.Ref))
	one.End(httptest.NewRecorder(), w.request(cookie))
	w.redis.Set(one.store.keys.record(s.Ref), record) // the new master had not heard of it
	w.redis.Set(one.store.keys.summary(s.Ref), summary)
	if got := w.reason(two, cookie); got != "" {
		t.Fatal(got)
	}
	one.subscription.onMessage(&redis.Subscription{Kind: "subscribe"})
	w.eventually("the record is gone again", func() bool { return !w.redis.Exists(one.store.keys.record(s.Ref)) })
	if got := w.reason(two, cookie); got != string(RecordMissing) {
		t.Errorf("on a replica that does not listen: %q", got)
	}
}

func TestARecordThatIsLostAndComesBackIsASessionAgain(t *testing.T) {
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
	m.subscription.onMessage(&redis.Subscription{Kind: "subscribe"})
	if got := w.reason(m, cookie); got != "" {
		t.Errorf("after the backup: %q", got)
	}
}

func TestLogOutEverywhereIsDoneOnceRedisIsBackAndSparesWhatBeganSince(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	old, _ := w.login(m, ada())
	w.redis.SetError("ERR away")
	if _, err := m.EndUser(t.Context(), issuer, ada().Subject); err == nil {
		t.Fatal("Redis is away, and the sessions were ended")
	}
	w.redis.SetError("")
	w.clock.pass(time.Second)
	young, _ := w.login(m, ada())
	w.subscribed(m)
	w.eventually("the old session has ended", func() bool { return w.reason(m, old) == string(RecordMissing) })
	w.eventually("nothing is left to do", func() bool { return len(m.retries.tasks) == 0 })
	if got := w.reason(m, young); got != "" {
		t.Errorf("the session that began since: %q", got)
	}
}

// deaf is a Redis client whose pipelines find no connection, and leave their commands without a word.
type deaf struct{}

func (deaf) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (deaf) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }
func (deaf) ProcessPipelineHook(redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(context.Context, []redis.Cmder) error { return errors.New("connection refused") }
}

func TestNoAnswerIsNoAbsence(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	cookie, _ := w.login(m, ada())
	dead := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: 1})
	silent := redis.NewClient(&redis.Options{Addr: w.redis.Addr()})
	silent.AddHook(deaf{})
	sentinel := redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "site", SentinelAddrs: []string{"127.0.0.1:1"}, MaxRetries: 1})
	for name, rdb := range map[string]*redis.Client{"refused": dead, "silent": silent, "no sentinel": sentinel} {
		t.Cleanup(func() { rdb.Close() })
		m := w.replica(nil)
		m.store.reads.rdb = rdb
		if got := w.reason(m, cookie); got != "cannot tell" {
			t.Errorf("%s: %q", name, got)
		}
	}
}
