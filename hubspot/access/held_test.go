package access

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
)

// Scripts of every page may ask for what is kept. It must cost no call, no wait, and no alert about closed pages.
func TestHeldAsksNobody(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, b, ada := w.replica(), w.replica(), w.member("ada", "101", "1")
		if known := a.Held(t.Context(), ada); known != nil {
			t.Errorf("before HubSpot was asked: %+v", known)
		}
		time.Sleep(time.Minute)
		if calls := w.hubspot.received(); len(calls) > 0 {
			t.Errorf("%d calls", len(calls))
		}
		w.know(a, ada, false)
		synctest.Wait() // until the other replica can know it
		w.hubspot.received()
		refresh, left := w.cfg.Refresh.D(), w.cfg.MaxStale.D()-2*w.cfg.Refresh.D()-time.Minute
		for _, age := range []time.Duration{0, 2 * refresh, left} {
			time.Sleep(age)
			began := time.Now()
			for name, replica := range map[string]*Access{"here": a, "there": b} {
				if known := replica.Held(t.Context(), ada); known == nil || !known.Lists["1"] || time.Since(began) > 0 {
					t.Errorf("%s after %s: %+v", name, age, known)
				}
			}
		}
		time.Sleep(2 * time.Minute)
		if known := a.Held(t.Context(), ada); known != nil || len(w.hubspot.received()) > 0 {
			t.Errorf("after max_stale: %+v", known)
		}
		if n := decided(a); n != 1 {
			t.Errorf("%v decisions are counted", n)
		}
	})
}

// The test page asks, and shows why HubSpot does not answer. It closes no page, so that no alert must fire.
func TestAskCountsNoDecision(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, ada := w.replica(), w.member("ada", "101", "1")
		w.hubspot.setRefuse(failWith(401, nil))
		known, err := a.Ask(t.Context(), ada)
		if known != nil || err == nil || !strings.Contains(err.Error(), "hubspot.access_token") || decided(a) != 0 {
			t.Errorf("%+v, %v, %v decisions", known, err, decided(a))
		}
		if _, again := a.Know(t.Context(), ada, false); again == nil || again.Error() != err.Error() || decided(a) != 1 {
			t.Errorf("%v, %v decisions", again, decided(a))
		}
	})
}

func TestKnowSaysWhyThereIsNoAnswer(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, ada, twin := w.replica(), w.member("ada", "101", "1"), visitor("twin")
		w.hubspot.setLatency(3 * time.Second)
		_, slow := a.Know(t.Context(), ada, false)
		w.hubspot.setLatency(0)
		time.Sleep(time.Minute)
		known, none := a.Know(t.Context(), ada, false)
		if known == nil || none != nil {
			t.Errorf("%+v, %v", known, none)
		}
		twin.EmailVerified = false
		_, unverified := a.Know(t.Context(), twin, false)
		a.Set(DefaultConfig())
		_, off := a.Know(t.Context(), ada, false)
		if slow != errTimeout || unverified != errNoAddress || off != errOff {
			t.Errorf("%v, %v, %v", slow, unverified, off)
		}
	})
}

// decided returns how many decisions were counted, known or not.
func decided(a *Access) int {
	var age dto.Metric
	_ = a.deps.Metrics.age.Write(&age)
	n := int(age.GetHistogram().GetSampleCount())
	for _, reason := range []string{unknownOutage, unknownTimeout, unknownFailed} {
		n += int(testutil.ToFloat64(a.deps.Metrics.unknown.WithLabelValues(reason)))
	}
	return n
}
