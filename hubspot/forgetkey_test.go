package hubspot

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/seal"
)

func TestNothingIsSentWithoutTheForgetKey(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lose func(e *env)
		cure string
	}{
		"its ring key is removed": {func(e *env) { e.key = seal.NewKey() }, "session.keys"},
		"it is deleted": {func(e *env) { e.mini.Del("hubgate:{crm}:forget-key") },
			"hubgate:{crm}:forget-key is missing"},
		"it is damaged": {func(e *env) { _ = e.mini.Set("hubgate:{crm}:forget-key", "x") }, "session.keys"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEnv(t, usualProperties())
				log := &strings.Builder{}
				e.log = log
				if _, err := e.replica().Forget(t.Context(), "ada@example.com", noSessions); err != nil {
					t.Fatal(err)
				}
				kept := e.must(e.mini.Get("hubgate:{crm}:forget-key"))
				oldKey := e.key
				c.lose(e)
				r := e.startReplica()
				e.enqueue(r, loginOf("bob", 1))
				time.Sleep(time.Minute)
				if s, err := r.Status(t.Context()); err != nil || s.Queued+s.InFlight != 1 || len(e.fake.Contacts()) != 0 {
					t.Errorf("%+v %v", s, err)
				}
				if _, err := r.Forget(t.Context(), "bob@example.com", noSessions); !errors.Is(err, outbox.ErrForgetKey) {
					t.Errorf("forget: %v", err)
				}
				if err := r.deps.Ring.Set(e.key, oldKey); err != nil {
					t.Fatal(err)
				}
				_ = e.mini.Set("hubgate:{crm}:forget-key", kept)
				e.waitDrained(r)
				r.stop()
				if len(e.fake.Contacts()) != 1 || !strings.Contains(log.String(), c.cure) {
					t.Errorf("%d contacts, log: %s", len(e.fake.Contacts()), log)
				}
			})
		})
	}
}

func TestForgetKeyIsSealedAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		r := e.replica()
		if _, err := r.Forget(t.Context(), "ada@example.com", noSessions); err != nil {
			t.Fatal(err)
		}
		newer := seal.NewKey()
		rotated := e.rotatedReplica(e.startReplica(), newer)
		time.Sleep(2 * housekeepingEvery)
		rotated.stop()
		e.key = newer // the older key is removed
		r = e.startReplica()
		e.enqueue(r, loginOf("ada", 1))
		e.enqueue(r, loginOf("bob", 1))
		e.waitDrained(r)
		if len(e.fake.Contacts()) != 1 || e.contact("bob@example.com") == nil {
			t.Errorf("%+v", e.fake.Contacts())
		}
	})
}
