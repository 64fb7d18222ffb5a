package hubspot

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/hubgate/hubgate/internal/seal"
)

// TestForgetFindsLetterThatIsReplayedMeanwhile checks that nothing of a person stays if a dead letter is put back into
// the queue at any step of forget. No worker runs that could remove it later.
func TestForgetFindsLetterThatIsReplayedMeanwhile(t *testing.T) {
	t.Parallel()
	forget := func(t *testing.T, at int64) (e *env, steps int64) {
		e = newEnv(t, usualProperties())
		front := e.replica()
		for _, name := range []string{"ada", "bob"} {
			e.enqueue(front, loginOf(name, 1))
			e.makeDead(front)
		}
		s := &atStep{at: at, do: func() {
			if _, err := front.Replay(t.Context(), nil, true); err != nil {
				t.Error(err)
			}
		}}
		client := e.dial()
		client.AddHook(s)
		f, err := e.replicaOn(client, e.http).Forget(t.Context(), "ada@example.com", noSessions)
		if err != nil || f.InFlight || f.Entries+f.Dead != 1 {
			t.Errorf("%+v, %v", f, err)
		}
		return e, s.steps.Load()
	}
	var steps int64
	synctest.Test(t, func(t *testing.T) { _, steps = forget(t, 0) })
	for at := int64(1); at <= steps; at++ {
		t.Run(fmt.Sprintf("step %d of %d", at, steps), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e, _ := forget(t, at)
				if found := e.tracesOf("ada", e.key); len(found) > 0 {
					t.Errorf("left: %q", found)
				}
				if s, err := e.replica().Status(t.Context()); err != nil || s.Queued != 1 || s.Dead != 0 {
					t.Errorf("another person's letter is not replayed: %+v, %v", s, err)
				}
			})
		})
	}
}

// TestReplaySkipsForgottenPeople checks that a dead letter that forget could not find is not sent either.
func TestReplaySkipsForgottenPeople(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		r := e.replica()
		e.enqueue(r, loginOf("ada", 1))
		e.makeDead(r)
		if err := r.outbox.MarkForgotten(t.Context(), "ada@example.com"); err != nil {
			t.Fatal(err)
		}
		page, err := r.Dead(t.Context(), "", 10)
		if err != nil || len(page.Dead) != 1 {
			t.Fatal(page, err)
		}
		for _, all := range []bool{true, false} {
			if n, err := r.Replay(t.Context(), []string{page.Dead[0].ID}, all); n != 0 || err != nil {
				t.Errorf("all %t: %d, %v", all, n, err)
			}
		}
		if s, err := r.Status(t.Context()); err != nil || s.Queued != 0 || s.Dead != 1 {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

// TestForgetCountsWhatItCannotRead checks that show and forget say how many entries and dead letters are sealed with a
// key that is no longer in the ring.
func TestForgetCountsWhatItCannotRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ waiting, dead int }{
		"nothing": {0, 0}, "entries": {2, 0}, "a dead letter": {0, 1}, "both": {1, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEnv(t, usualProperties())
				r := e.replica()
				for i := range c.dead {
					e.enqueue(r, loginOf(fmt.Sprintf("dead%d", i), 1))
					e.makeDead(r)
				}
				for i := range c.waiting {
					e.enqueue(r, loginOf(fmt.Sprintf("waiting%d", i), 1))
				}
				e.key = seal.NewKey()
				r = e.replica()
				p, err := r.Show(t.Context(), "ada@example.com", nil)
				if err != nil || p.Unreadable != c.waiting+c.dead {
					t.Errorf("show: %+v, %v", p, err)
				}
				f, err := r.Forget(t.Context(), "ada@example.com", noSessions)
				if err != nil || f.Unreadable != c.waiting+c.dead || f.Entries+f.Dead > 0 {
					t.Errorf("forget: %+v, %v", f, err)
				}
			})
		})
	}
}
