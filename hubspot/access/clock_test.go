package access

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// shifted returns a running replica whose wall clock differs by what off returns.
func (w *world) shifted(off func() time.Duration) *Access {
	a := w.idle(w.dial())
	now := func() time.Time { return time.Now().Round(0).Add(off()) }
	a.deps.Now, a.store.now, a.queue.now, a.outage.now = now, now, now, now
	w.start(a)
	synctest.Wait()
	return a
}

func TestKnowAnswersAfterClockStepsBack(t *testing.T) {
	t.Parallel()
	for _, step := range []time.Duration{6 * time.Second, 10 * time.Minute, 5 * time.Hour} {
		t.Run(step.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				var off atomic.Int64
				ada := w.member("ada", "101", "1")
				a := w.shifted(func() time.Duration { return time.Duration(off.Load()) })
				w.know(a, ada, false)
				time.Sleep(10 * time.Second)
				off.Store(int64(-step - 10*time.Second))
				w.hubspot.received()
				for range 120 {
					if known := w.know(a, ada, false); known == nil || !known.Lists["1"] {
						t.Fatalf("%+v", known)
					}
					time.Sleep(time.Second)
				}
				if calls := w.hubspot.received(); len(calls) != 2 {
					t.Errorf("%d calls", len(calls))
				}
			})
		})
	}
}

func TestKnowAnswersBesideReplicaWithFastClock(t *testing.T) {
	t.Parallel()
	for _, fast := range []time.Duration{6 * time.Second, time.Minute, 20 * time.Minute} {
		t.Run(fast.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				good := w.shifted(func() time.Duration { return 0 })
				other := w.shifted(func() time.Duration { return fast })
				ada, denied := w.member("ada", "101", "1"), w.member("denied", "102")
				w.know(good, ada, false)
				w.hubspot.received()
				for range 360 {
					w.know(other, ada, false)
					w.know(other, denied, true)
					if w.know(good, ada, false) == nil || w.know(good, denied, true) == nil {
						t.Fatal("unknown, although HubSpot answers")
					}
					time.Sleep(5 * time.Second)
				}
				if calls := w.hubspot.received(); len(calls) > 500 {
					t.Errorf("%d calls", len(calls))
				}
			})
		})
	}
}
