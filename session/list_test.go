package session

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// listAll pages through all sessions. It returns how often each was listed, and the number of pages.
func (w *world) listAll(m *Manager, q Query) (shown map[string]int, pages int) {
	w.t.Helper()
	shown = map[string]int{}
	for {
		listing, err := m.List(w.t.Context(), q)
		if err != nil {
			w.t.Fatal(err)
		}
		pages++
		if len(listing.Sessions) > q.Limit {
			w.t.Errorf("a page of %d with limit %d", len(listing.Sessions), q.Limit)
		}
		for _, s := range listing.Sessions {
			shown[s.Ref]++
		}
		if listing.Next == "" {
			return shown, pages
		}
		q.Cursor = listing.Next
	}
}

// crowd starts sessions that all end in the same millisecond.
func (w *world) crowd(m *Manager, n int) map[string]int {
	w.t.Helper()
	want := map[string]int{}
	for i := range n {
		s := ada()
		s.Subject = fmt.Sprint("user-", i)
		_, started := w.login(m, s)
		want[started.Ref] = 1
	}
	return want
}

func TestListShowsEverySessionOnceForEveryLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	want := w.crowd(m, 700)
	for _, limit := range []int{1, 7, 100, 699, 700, 1000} {
		got, pages := w.listAll(m, Query{Limit: limit})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("limit %d: (-want +got)\n%s", limit, diff)
		}
		if full := (700 + limit - 1) / limit; pages != full {
			t.Errorf("limit %d: %d pages, want %d", limit, pages, full)
		}
		got, _ = w.listAll(m, Query{Limit: limit, Email: "ADA@example.com"})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("by email, limit %d: (-want +got)\n%s", limit, diff)
		}
	}
}

func TestCountUserCountsLiveSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	count := func(want int) {
		t.Helper()
		if n, err := m.CountUser(t.Context(), ada().Issuer, ada().Subject); n != want || err != nil {
			t.Errorf("%d sessions, %v; want %d", n, err, want)
		}
	}
	count(0)
	w.login(m, ada())
	other := ada()
	other.Subject = "another user with the same address"
	w.login(m, other)
	_, second := w.login(m, ada())
	count(2)
	if _, err := m.EndRef(t.Context(), second.Ref); err != nil {
		t.Fatal(err)
	}
	count(1)
	for range maxCounted {
		w.login(m, ada())
	}
	count(maxCounted)
}

func TestListSkipsEndedAndDamagedSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	want := w.crowd(m, 600)
	n := 0
	for ref := range want {
		switch n++; {
		case n <= 400: // ended by a replica that crashed before it removed them from the list
			w.redis.Del(m.store.keys.record(ref))
			w.redis.Del(m.store.keys.summary(ref))
			delete(want, ref)
		case n <= 450:
			w.redis.Set(m.store.keys.summary(ref), "damaged")
			delete(want, ref)
		}
	}
	got, _ := w.listAll(m, Query{Limit: 10})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	entries := 0
	for _, shard := range digits {
		members, _ := w.redis.ZMembers(m.store.keys.shard(string(shard)))
		entries += len(members)
	}
	if entries != 200 {
		t.Errorf("after the listing the lists hold %d entries, want 200", entries)
	}
}

func TestCursorOfAnEndedSessionStillWorks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	want := w.crowd(m, 50)
	first, err := m.List(t.Context(), Query{Limit: 20})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range first.Sessions {
		delete(want, s.Ref)
		if _, err := m.EndRef(t.Context(), s.Ref); err != nil {
			t.Fatal(err)
		}
	}
	got, _ := w.listAll(m, Query{Limit: 20, Cursor: first.Next})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestListCostDoesNotGrowWithSessions(t *testing.T) {
	t.Parallel()
	cost := func(sessions int) int {
		w := newWorld(t)
		m := w.replica(nil)
		w.crowd(m, sessions)
		middle := Query{Limit: 20}
		for range sessions / 40 { // half of all pages
			listing, err := m.List(t.Context(), middle)
			if err != nil {
				t.Fatal(err)
			}
			middle.Cursor = listing.Next
		}
		before := w.redis.CommandCount()
		if _, err := m.List(t.Context(), middle); err != nil {
			t.Fatal(err)
		}
		return w.redis.CommandCount() - before
	}
	few, many := cost(500), cost(2_000)
	if many > few+6 { // a page may continue in the next list
		t.Errorf("a middle page takes %d commands with 500 sessions and %d with 2,000", few, many)
	}
}

func TestStartReplacesListsOfTheWrongType(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	s := ada()
	_, started := w.login(m, s)
	keys := append(m.currentLists(started), m.store.keys.sealKeys())
	for shard := range len(digits) { // the next session may be in any of them
		keys = append(keys, m.store.keys.shard(digits[shard:shard+1]))
	}
	for _, key := range keys {
		w.redis.Del(key)
		w.redis.Lpush(key, "another application")
	}
	cookie, _ := w.login(m, s)
	if got := w.reason(m, cookie); got != "" {
		t.Errorf("the new session: %q", got)
	}
	if _, err := m.List(t.Context(), Query{Limit: 10}); err != nil {
		t.Errorf("list: %v", err)
	}
	if n, err := m.EndByEmail(t.Context(), s.Email); err != nil || n != 1 {
		t.Errorf("end by email: %d, %v", n, err)
	}
}

func TestRecordOfTheWrongTypeIsReplacedByALogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	cookie, s := w.login(m, ada())
	for _, key := range []string{m.store.keys.record(s.Ref), m.store.keys.summary(s.Ref)} {
		w.redis.Del(key)
		w.redis.Lpush(key, "another application")
	}
	rec := httptest.NewRecorder()
	if _, err := m.Load(rec, w.request(cookie)); err == nil || w.reason(m, cookie) != string(RecordMissing) {
		t.Errorf("load: %v", err)
	}
	again, _ := w.login(m, ada(), cookie)
	if got := w.reason(m, again); got != "" {
		t.Errorf("after a login: %q", got)
	}
	if len(m.retries.tasks) != 0 || w.redis.Exists(m.store.keys.summary(s.Ref)) {
		t.Errorf("the end of the older session is waiting: %d", len(m.retries.tasks))
	}
}

func FuzzParseCursor(f *testing.F) {
	f.Add("")
	f.Add(cursor{list: 3, score: float64(time.Now().UnixMilli()), ref: "0123456789abcdef0123456789abcdef"}.encode())
	f.Add("MHwtMXw")
	f.Fuzz(func(t *testing.T, text string) {
		at, err := parseCursor(text, 16)
		if err == nil && (at.list < 0 || at.list >= 16 || at.score < 0) {
			t.Errorf("%q: %+v", text, at)
		}
	})
}
