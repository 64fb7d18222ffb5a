package access

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/session"
)

func TestKnowReadsListsAndProperties(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, ada := w.replica(), w.member("ada", "101", "1", "99")
		began := time.Now()
		known := w.know(a, ada, false)
		if known == nil || !known.Contact {
			t.Fatalf("%+v", known)
		}
		if !known.Lists["1"] || known.Lists["2"] || len(known.Lists) != 2 {
			t.Errorf("lists: %v", known.Lists)
		}
		if !slices.Equal(known.Properties["tier"], []string{"gold", "ada"}) {
			t.Errorf("properties: %v", known.Properties)
		}
		if known.ReadAt.Before(began) || known.ReadAt.After(time.Now()) ||
			known.UsableUntil.Sub(known.ReadAt) != w.cfg.MaxStale.D() {
			t.Errorf("read at %s, usable until %s", known.ReadAt, known.UsableUntil)
		}
		if calls := w.hubspot.received(); len(calls) != 2 {
			t.Errorf("%d calls", len(calls))
		}
	})
}

func TestKnowWithoutContactSaysThatThereIsNone(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		known := w.know(w.replica(), visitor("stranger"), false)
		if known == nil || known.Contact || known.Lists["1"] || len(known.Lists) != 2 || known.Properties["tier"] != nil {
			t.Errorf("%+v", known)
		}
		if _, asked := known.Properties["tier"]; !asked {
			t.Error("the property is not known to be empty")
		}
	})
}

func TestKnowNeverAsksAboutUnverifiedAddresses(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, ada := w.replica(), w.member("ada", "101", "1")
		w.know(a, ada, false)
		w.hubspot.received()
		for name, change := range map[string]func(s *session.Session){
			"not verified": func(s *session.Session) { s.EmailVerified = false },
			"no address":   func(s *session.Session) { s.Email = "" },
			"blank":        func(s *session.Session) { s.Email = " \t" },
		} {
			s := *ada
			change(&s)
			if known, took := w.timed(a, &s, true); known != nil || took != 0 || len(w.hubspot.received()) > 0 {
				t.Errorf("%s: %+v after %s", name, known, took)
			}
		}
	})
}

func TestKnowReadsInTheBackgroundWhatIsAging(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, ada := w.replica(), w.member("ada", "101", "1")
		first := w.know(a, ada, false)
		time.Sleep(w.cfg.Refresh.D() - time.Second)
		w.know(a, ada, false)
		time.Sleep(2 * time.Minute)
		w.hubspot.received()
		w.member("ada", "101", "2")
		known, took := w.timed(a, ada, false)
		if known == nil || !known.ReadAt.Equal(first.ReadAt) || !known.Lists["1"] || took > 0 {
			t.Fatalf("%+v after %s", known, took)
		}
		time.Sleep(2 * time.Minute)
		if calls := w.hubspot.received(); len(calls) != 2 {
			t.Errorf("%d calls", len(calls))
		}
		if known := w.know(a, ada, false); known.Lists["1"] || !known.Lists["2"] || len(w.hubspot.received()) > 0 {
			t.Errorf("%+v", known)
		}
	})
}

func TestKnowReadsFirstWhatIsAged(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, ada := w.replica(), w.member("ada", "101", "1")
		w.know(a, ada, false)
		time.Sleep(2*w.cfg.Refresh.D() + time.Minute)
		w.member("ada", "101", "2")
		if known := w.know(a, ada, false); known == nil || known.Lists["1"] || !known.Lists["2"] {
			t.Errorf("%+v", known)
		}
	})
}

func TestKnowReadsAgainAfterADenial(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, ada := w.replica(), w.member("ada", "101")
		w.know(a, ada, false)
		w.hubspot.received()
		w.member("ada", "101", "1")
		time.Sleep(deniedAge)
		if known := w.know(a, ada, true); known.Lists["1"] || len(w.hubspot.received()) > 0 {
			t.Errorf("read again after %s: %+v", deniedAge, known)
		}
		time.Sleep(time.Second)
		if known := w.know(a, ada, false); known.Lists["1"] {
			t.Errorf("read again without a denial: %+v", known)
		}
		if known := w.know(a, ada, true); !known.Lists["1"] {
			t.Errorf("%+v", known)
		}
	})
}

func TestSetAsksForNewListsAndKeepsWhatIsKnown(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, ada := w.replica(), w.member("ada", "101", "1", "3")
		w.know(a, ada, false)
		w.hubspot.setRefuse(failWith(503, nil))
		w.cfg.Lists["third"] = "3"
		a.Set(w.cfg)
		known := w.know(a, ada, false)
		if _, asked := known.Lists["3"]; asked || !known.Lists["1"] {
			t.Errorf("while HubSpot fails: %v", known.Lists)
		}
		w.hubspot.setRefuse(nil)
		time.Sleep(time.Minute)
		if known := w.know(a, ada, false); !known.Lists["3"] {
			t.Errorf("%v", known.Lists)
		}
	})
}

func TestKnowDiscardsAnswersOfTwoAccounts(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, ada := w.replica(), w.member("ada", "101", "1")
		calls := 0
		a.portal.token = func() string {
			if calls++; calls%2 == 0 {
				return "another"
			}
			return "4711"
		}
		if known := w.know(a, ada, false); known != nil {
			t.Errorf("%+v", known)
		}
	})
}

func TestWatchEndsWithAChange(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, b, ada := w.replica(), w.replica(), w.member("ada", "101", "1")
		w.know(a, ada, false)
		w.know(b, ada, false)
		synctest.Wait()
		here, endHere := a.Watch(ada)
		there, endThere := b.Watch(ada)
		defer endHere()
		defer endThere()
		time.Sleep(time.Hour)
		w.know(a, ada, false)
		synctest.Wait()
		if closed(here) || closed(there) {
			t.Error("an equal answer is a change")
		}
		w.member("ada", "101", "2")
		time.Sleep(time.Hour)
		w.know(a, ada, false)
		synctest.Wait()
		if !closed(here) || !closed(there) {
			t.Error("a change is not noticed")
		}
		if known := w.know(b, ada, false); !known.Lists["2"] || known.Lists["1"] {
			t.Errorf("%+v", known)
		}
		if nothing, end := a.Watch(&session.Session{}); nothing != nil {
			end()
			t.Error("a watch of no person")
		}
	})
}

func closed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}
