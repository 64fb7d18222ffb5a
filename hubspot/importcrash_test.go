package hubspot

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// crashingFront returns a replica without its worker that crashes at the given step.
func (e *env) crashingFront(at int64) (*replica, *crashPoint) {
	e.t.Helper()
	m := &crashPoint{at: at, cancel: func() {}}
	client := e.dial()
	client.AddHook(m)
	return e.replicaOn(client, m.transport(e.http)), m
}

// importAll does what the client does: it sends the rows, again after the last one that was answered.
func importAll(ctx context.Context, r *replica, in Import) error {
	for len(in.Rows) > 0 {
		part := in
		part.Rows = in.Rows[:min(2, len(in.Rows))]
		done, err := r.Import(ctx, testProvider, part)
		if err != nil {
			return err
		}
		in.Rows = in.Rows[done.Rows:]
	}
	return nil
}

// TestImportCrashAtEveryStep crashes the replica that queues a file before and after each of its Redis commands, and
// repeats the file on another one.
func TestImportCrashAtEveryStep(t *testing.T) {
	t.Parallel()
	in := importOf("a@example.com", "b@example.com", "c@example.com", "d@example.com", "e@example.com")
	var steps int64
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, importProperties())
		front, m := e.crashingFront(0)
		if err := importAll(t.Context(), front, in); err != nil {
			t.Fatal(err)
		}
		steps = m.steps.Load()
	})
	if steps < 10 {
		t.Fatalf("only %d steps", steps)
	}
	for at := int64(1); at <= steps; at++ {
		for _, sent := range []bool{false, true} {
			t.Run(fmt.Sprintf("step %d of %d, sent before the repetition: %v", at, steps, sent), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					e := newEnv(t, importProperties())
					front, m := e.crashingFront(at)
					if err := importAll(t.Context(), front, in); err == nil || !m.crashed.Load() {
						t.Fatal("it has not crashed")
					}
					e.repeatImport(in, sent)
				})
			})
		}
	}
}

// repeatImport imports a file again after a crash, and checks that each person was queued and written once.
func (e *env) repeatImport(in Import, sent bool) {
	e.t.Helper()
	if sent {
		r := e.startReplica()
		e.waitDrained(r)
		r.stop()
	}
	front := e.replica()
	if err := importAll(e.t.Context(), front, in); err != nil {
		e.t.Fatal(err)
	}
	if s, err := front.Status(e.t.Context()); err != nil || !sent && s.Queued != int64(len(in.Rows)) {
		e.t.Errorf("%+v %v", s, err)
	}
	e.waitDrained(e.startReplica())
	time.Sleep(time.Minute)
	got := map[string]int{}
	for _, c := range e.fake.Contacts() {
		if got[c.Properties["email"]] = c.Writes; !strings.HasPrefix(c.Properties["cognito_sub"], "sub-") {
			e.t.Errorf("%v", c.Properties)
		}
	}
	for _, r := range in.Rows {
		if got[r.Claims["email"]] != 1 {
			e.t.Errorf("%s was written %d times", r.Claims["email"], got[r.Claims["email"]])
		}
	}
}

// TestImportSurvivesCrashOfTheWorker crashes the replica that sends a file at each of its steps.
func TestImportSurvivesCrashOfTheWorker(t *testing.T) {
	t.Parallel()
	in := importOf("a@example.com", "b@example.com")
	var steps int64
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, importProperties())
		e.importFile(e.replica(), in)
		m := e.crashingReplica(0)
		e.waitDrained(e.replica())
		steps = m.steps.Load()
	})
	for at := int64(1); at <= steps; at++ {
		t.Run(fmt.Sprintf("step %d of %d", at, steps), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEnv(t, importProperties())
				front := e.replica()
				e.importFile(front, in)
				m := e.crashingReplica(at)
				e.waitFor("the replica crashed", func() bool { return m.crashed.Load() })
				if done := e.importFile(front, in); done.Repeated != len(in.Rows) {
					t.Errorf("%+v", done)
				}
				e.waitDrained(e.startReplica())
				for _, r := range in.Rows {
					if e.contact(r.Claims["email"])["firstname"] != "File" {
						t.Errorf("%s is lost", r.Claims["email"])
					}
				}
			})
		})
	}
}
