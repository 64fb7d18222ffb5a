package session

import (
	"slices"
	"testing"
	"time"
)

// Redis loses a part of a session, or gets it back changed, while the record exists.

func TestPeekKeepsNoSessionAliveAfterItsSummaryIsLost(t *testing.T) {
	t.Parallel()
	for name, taken := range map[string]bool{"Redis accepts writes": true, "Redis is read-only": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.cfg.IdleTimeout = minutesOrNone(10)
			m, fresh := w.replica(nil), w.replica(nil)
			cookie, s := w.login(m, ada())
			w.mustLoad(m, cookie)
			w.redis.Del(m.store.keys.summary(s.Ref))
			for range 9 {
				if _, err := m.Peek(w.request(cookie)); err != nil {
					t.Fatal(err)
				}
				if !taken {
					w.redis.Del(m.store.keys.summary(s.Ref))
				} else if _, err := fresh.Peek(w.request(cookie)); err != nil {
					t.Fatal(err)
				}
				w.clock.pass(time.Minute)
			}
			w.clock.pass(time.Minute)
			last := m
			if taken { // Peek has saved it, so that any replica knows it
				last = w.replica(nil)
			}
			if got := w.reason(last, cookie); got != string(Expired) {
				t.Errorf("only peeked at for ten minutes: %q", got)
			}
		})
	}
}

func TestLostListsAreRebuiltByTheNextUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	cookie, s := w.login(m, ada())
	keys := m.currentLists(s)
	w.clock.pass(10 * time.Minute)
	w.login(m, ada()) // ends later
	longest := w.redis.TTL(keys[1])
	if got := w.reason(m, cookie); got != "" || w.redis.TTL(keys[1]) != longest {
		t.Fatalf("%q, the list expires in %s, want %s", got, w.redis.TTL(keys[1]), longest)
	}
	for _, key := range keys {
		w.redis.Del(key)
	}
	w.clock.pass(6 * time.Minute)
	w.mustLoad(m, cookie)
	for _, key := range keys {
		if left := w.redis.TTL(key); left < s.ExpiresAt.Sub(w.clock.Now()) {
			t.Errorf("%s ends in %s", key, left)
		}
	}
	list, err := m.List(t.Context(), Query{Limit: 10})
	if err != nil || !slices.ContainsFunc(list.Sessions, func(o *Session) bool { return o.Ref == s.Ref }) {
		t.Errorf("listed: %d others, %v", len(list.Sessions), err)
	}
	if n, err := m.EndUser(t.Context(), issuer, ada().Subject); err != nil || n != 1 {
		t.Errorf("ended: %d, %v", n, err)
	}
}

func TestRecordWithoutAnExpiryGetsOne(t *testing.T) {
	t.Parallel()
	for name, touched := range map[string]bool{"at the idle clock": true, "at a refresh": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			m := w.replica((&provider{rotate: true}).refresh(w))
			first := ada()
			pass := 6 * time.Minute
			if !touched {
				first, pass = w.shortLived(), 59*time.Minute+30*time.Second
			}
			cookie, s := w.login(m, first)
			m.deps.Redis.Persist(t.Context(), m.store.keys.record(s.Ref))
			w.clock.pass(pass)
			if touched {
				w.mustLoad(m, cookie)
			} else if _, err := m.Peek(w.request(cookie)); err != nil { // which does not set the idle clock
				t.Fatal(err)
			}
			if got, want := w.redis.TTL(m.store.keys.record(s.Ref)), s.ExpiresAt.Sub(w.clock.Now()); got != want {
				t.Errorf("it ends in %s, want %s", got, want)
			}
		})
	}
}
