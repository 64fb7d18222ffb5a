package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/redisread"
)

// listReaders are all that read a list of sessions.
var listReaders = map[string]func(*world, *Manager, *Session){
	"end by user": endBy(func(ctx context.Context, m *Manager, s *Session) (int, error) {
		return m.EndUser(ctx, s.Issuer, s.Subject)
	}),
	"end by email": endBy(func(ctx context.Context, m *Manager, s *Session) (int, error) {
		return m.EndByEmail(ctx, s.Email)
	}),
	"end by sid": endBy(func(ctx context.Context, m *Manager, s *Session) (int, error) {
		return m.EndSID(ctx, s.Issuer, s.SID)
	}),
	"list":          listOne(Query{Limit: 1000}),
	"list by email": listOne(Query{Limit: 1, Email: "ada@example.com"}),
	"keys": func(w *world, m *Manager, _ *Session) {
		if keys, err := m.KeysInUse(w.t.Context()); err != nil || len(keys) != 1 {
			w.t.Errorf("%v, %v", keys, err)
		}
	},
}

// endBy returns a reader that ends the only session.
func endBy(end func(context.Context, *Manager, *Session) (int, error)) func(*world, *Manager, *Session) {
	return func(w *world, m *Manager, s *Session) {
		n, err := end(w.t.Context(), m, s)
		for errors.Is(err, context.DeadlineExceeded) { // the machine is busy
			var more int
			more, err = end(w.t.Context(), m, s)
			n += more
		}
		if n != 1 || err != nil || w.redis.Exists(m.store.keys.record(s.Ref)) {
			w.t.Errorf("%d ended, %v", n, err)
		}
	}
}

// listOne returns a reader that lists the only session.
func listOne(q Query) func(*world, *Manager, *Session) {
	return func(w *world, m *Manager, s *Session) {
		if list, err := m.List(w.t.Context(), q); err != nil || len(list.Sessions) != 1 {
			w.t.Errorf("%d listed, %v", len(list.Sessions), err)
		}
	}
}

// Every reader of a list skips members that are longer than hubgate's.
func TestOversizedListMemberIsRemovedUnread(t *testing.T) {
	t.Parallel()
	for name, use := range listReaders {
		for where, score := range map[string]float64{"before": -1, "behind": 9e15} {
			t.Run(name+" "+where, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.t = t
				m, read := w.metered()
				login := ada()
				login.SID = "sid-1"
				_, s := w.login(m, login)
				keys := append(m.currentLists(s), m.store.keys.sealKeys())
				for _, key := range keys {
					if _, err := w.redis.ZAdd(key, score, oversized); err != nil {
						t.Fatal(err)
					}
				}
				before := read.Load()
				use(w, m, s)
				if n := read.Load() - before; n > 4*maxStored {
					t.Errorf("%d bytes were read", n)
				}
				cleaned := 0
				for _, key := range keys {
					if members, _ := w.redis.ZMembers(key); !slices.Contains(members, oversized) {
						cleaned++
					}
				}
				if cleaned == 0 && !(strings.HasPrefix(name, "list") && where == "before") {
					t.Error("not removed")
				}
			})
		}
	}
}

func TestEndByEmailSkipsOversizedMembers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m, _ := w.metered()
	w.crowd(m, redisread.PageSize+20)
	index := m.store.keys.email("ada@example.com")[0]
	for i := range 2*redisread.PageSize + 1 {
		if _, err := w.redis.ZAdd(index, float64(i), fmt.Sprintf("%0*d", 2*refSize+1, i)); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := m.EndByEmail(t.Context(), "ada@example.com"); n != redisread.PageSize+20 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if w.redis.Exists(index) {
		t.Error("the list still exists")
	}
}
