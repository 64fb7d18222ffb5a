package session

import (
	"context"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// interleaved is a hook that runs a function before one of a client's commands.
type interleaved struct {
	left int // commands before that
	run  func()
}

func (i *interleaved) next() {
	if i.left--; i.left == -1 {
		i.run()
	}
}

func (i *interleaved) DialHook(next redis.DialHook) redis.DialHook { return next }
func (i *interleaved) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { i.next(); return next(ctx, cmd) }
}
func (i *interleaved) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error { i.next(); return next(ctx, cmds) }
}

// stepsOfStart is more than the number of commands that a login sends, including those of a new connection.
const stepsOfStart = 8

// endings are the ways to end a user's sessions. Each returns how many it ended.
var endings = map[string]func(ctx context.Context, w *world, m *Manager) (int, error){
	"by user": func(ctx context.Context, _ *world, m *Manager) (int, error) {
		return m.EndUser(ctx, issuer, ada().Subject)
	},
	"by email": func(ctx context.Context, _ *world, m *Manager) (int, error) {
		return m.EndByEmail(ctx, "ADA@example.com")
	},
	"by provider session": func(ctx context.Context, _ *world, m *Manager) (int, error) {
		return m.EndSID(ctx, issuer, "sid-1")
	},
	"one by one": func(ctx context.Context, _ *world, m *Manager) (int, error) {
		list, err := m.List(ctx, Query{Limit: 10})
		for _, s := range list.Sessions {
			if found, err := m.EndRef(ctx, s.Ref); err != nil || !found {
				return 0, fmt.Errorf("%s: found %v, %w", s.Ref, found, err)
			}
		}
		return len(list.Sessions), err
	},
	"by a retry": func(ctx context.Context, w *world, m *Manager) (int, error) {
		return m.ender.endListed(ctx, m.store.keys.user(issuer, ada().Subject), w.clock.Now())
	},
}

// Ending a session between two steps of a login (CWE-367) is final for every replica.
func TestEndDuringStartIsNotLost(t *testing.T) {
	t.Parallel()
	for name, end := range endings {
		for step := range stepsOfStart {
			t.Run(fmt.Sprintf("%s, before command %d", name, step), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				m, other := w.replica(nil), w.replica(nil)
				listed, ended, ran := 0, 0, false
				m.deps.Redis.AddHook(&interleaved{left: step, run: func() {
					ran = true
					members, _ := w.redis.ZMembers(m.store.keys.user(issuer, ada().Subject)[0])
					listed = len(members)
					var err error
					if ended, err = end(t.Context(), w, other); err != nil {
						t.Error(err)
					}
				}})
				s := ada()
				s.SID = "sid-1"
				cookie, _ := w.login(m, s)
				if !ran {
					return // the login sends fewer commands
				}
				got := w.reason(w.replica(nil), cookie) // a replica without a tombstone
				switch {
				case ended != listed:
					t.Errorf("%d listed, %d ended", listed, ended)
				case listed == 0 && got != "":
					t.Errorf("login after the end: %q", got)
				case listed == 1 && got != string(RecordMissing):
					t.Errorf("ended session: %q", got)
				}
				again, _ := w.login(m, s) // the next login of the same user
				if got := w.reason(w.replica(nil), again); got != "" {
					t.Errorf("the next login: %q", got)
				}
			})
		}
	}
}

func TestInterruptedLoginLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	m.deps.Redis.AddHook(&interleaved{left: 2, run: func() { w.redis.SetError("ERR down") }})
	if _, err := m.Start(httptest.NewRecorder(), w.request(), ada()); err == nil {
		t.Fatal("started without a record")
	}
	w.redis.SetError("")
	w.clock.pass(announceTime + time.Second)
	if list, err := m.List(t.Context(), Query{Limit: 10}); err != nil || len(list.Sessions) != 0 {
		t.Errorf("%d sessions are listed, %v", len(list.Sessions), err)
	}
}
