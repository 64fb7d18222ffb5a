package access

import (
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

func TestRotatedTokenKeepsAnswersAndWatches(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, ada := w.replica(), w.member("ada", "101", "1")
		w.know(a, ada, false)
		synctest.Wait() // its own answer is announced
		changed, end := a.Watch(ada)
		defer end()
		w.setToken("rotated", "4711")
		w.hubID.Store(4711) // set later, it changes nothing
		w.hubspot.received()
		for range 10 {
			time.Sleep(time.Second)
			if known := w.know(a, ada, false); known == nil || !known.Lists["1"] {
				t.Fatalf("%+v", known)
			}
		}
		if calls := w.hubspot.received(); closed(changed) || len(calls) > 0 {
			t.Errorf("a rotated token discards what is known: %v, %d calls", closed(changed), len(calls))
		}
		if n := w.hubspot.portals.Load(); n != 2 {
			t.Errorf("%d calls for the account of two tokens", n)
		}
	})
}

func TestRotationDuringAnOutageKeepsAnswersUntilMaxStale(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, ada := w.replica(), w.member("ada", "101", "1")
		w.know(a, ada, false)
		w.setToken("rotated", "-503")
		w.hubspot.setRefuse(failWith(503, nil))
		time.Sleep(w.cfg.MaxStale.D() - time.Minute)
		if known := w.know(a, ada, false); known == nil || !known.Lists["1"] {
			t.Fatalf("%+v", known)
		}
		time.Sleep(2 * time.Minute)
		if known := w.know(a, ada, false); known != nil {
			t.Errorf("after max_stale: %+v", known)
		}
		w.setToken("rotated", "4711")
		w.hubspot.setRefuse(nil)
		time.Sleep(2 * longestProbe)
		if known := w.know(a, ada, false); known == nil {
			t.Error("unknown after the outage")
		}
	})
}

// TestTokenOfAnotherAccountEndsTheUseOfAnswers lets list 1 mean something else in the account of the new token.
func TestTokenOfAnotherAccountEndsTheUseOfAnswers(t *testing.T) {
	for _, hubID := range []int64{0, 4711} { // a configured hub_id does not hide the change
		t.Run(strconv.FormatInt(hubID, 10), func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				w.hubID.Store(hubID)
				a, ada := w.replica(), w.member("ada", "101", "1")
				w.know(a, ada, false)
				synctest.Wait() // its own answer is announced
				changed, end := a.Watch(ada)
				defer end()
				w.setAccount("-503")
				w.member("ada", "7", "2")
				time.Sleep(time.Hour) // HubSpot answers about people, but not about the account
				if known := w.know(a, ada, false); known == nil || !known.Lists["1"] || known.Lists["2"] {
					t.Errorf("an answer of an unknown account is used: %+v", known)
				}
				if calls := w.hubspot.received(); len(calls) != 2 {
					t.Errorf("%d calls, 2 are of the old account", len(calls))
				}
				w.hubspot.portal.Store(4712)
				time.Sleep(2 * longestProbe)
				synctest.Wait()
				if !closed(changed) {
					t.Error("open connections do not notice the other account")
				}
				w.hubspot.setRefuse(failWith(503, nil))
				if known := w.know(a, ada, false); known != nil {
					t.Errorf("an answer of the old account is used: %+v", known)
				}
				w.hubspot.setRefuse(nil)
				time.Sleep(2 * longestProbe)
				if known := w.know(a, ada, false); known == nil || known.Lists["1"] || !known.Lists["2"] {
					t.Errorf("%+v", known)
				}
				if n := w.log.count("hubspot.hub_id is not the account"); n != int(hubID/4711) {
					t.Errorf("%d lines about hub_id", n)
				}
			})
		})
	}
}

func TestRestartDuringAnOutageKnowsTheAccount(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		ada := w.member("ada", "101", "1")
		w.know(w.replica(), ada, false)
		w.hubspot.portal.Store(-503)
		w.hubspot.setRefuse(failWith(503, nil))
		if known := w.know(w.replica(), ada, false); known == nil || !known.Lists["1"] {
			t.Errorf("%+v", known)
		}
		for _, key := range w.mini.Keys() {
			if value, err := w.mini.Get(key); err == nil && value == "4711" {
				t.Errorf("%s is not sealed", key)
			}
		}
	})
}

func TestTokenThatMayNotReadItsAccountGivesAccess(t *testing.T) {
	for _, status := range []int64{http.StatusForbidden, http.StatusNotFound} {
		t.Run(strconv.FormatInt(status, 10), func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				w.hubspot.portal.Store(-status)
				a, ada := w.replica(), w.member("ada", "101", "1")
				if known := w.know(a, ada, false); known == nil || !known.Lists["1"] {
					t.Fatalf("%+v", known)
				}
				w.setAccount("another")
				w.hubspot.portal.Store(-status)
				time.Sleep(2 * tokenEvery)
				w.hubspot.setRefuse(failWith(503, nil))
				if known := w.know(a, ada, false); known != nil {
					t.Errorf("another token without hub_id: %+v", known)
				}
			})
		})
	}
}

func TestHubIDIdentifiesTokensThatMayNotReadTheirAccount(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.hubID.Store(4711)
		w.hubspot.portal.Store(-http.StatusForbidden)
		a, ada := w.replica(), w.member("ada", "101", "1")
		w.know(a, ada, false)
		w.setToken("rotated", "-403")
		time.Sleep(2 * tokenEvery)
		w.hubspot.setRefuse(failWith(503, nil))
		if known := w.know(a, ada, false); known == nil || !known.Lists["1"] {
			t.Errorf("%+v", known)
		}
	})
}
