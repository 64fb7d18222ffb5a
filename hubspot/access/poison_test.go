package access

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hubgate/hubgate/session"
)

// poisons are what HubSpot, or a firewall before it, answers when a batch contains one address.
func poisons() map[string]*http.Response {
	firewall := respond(http.StatusTooManyRequests, "blocked")
	firewall.Header.Set("Retry-After", "30")
	return map[string]*http.Response{
		"429":       firewall,
		"400":       respond(http.StatusBadRequest, map[string]string{"status": "error", "category": "VALIDATION_ERROR"}),
		"403":       respond(http.StatusForbidden, "blocked"),
		"500":       respond(http.StatusInternalServerError, nil),
		"too large": respond(http.StatusOK, strings.Repeat(" ", 33<<20)),
		"not JSON":  respond(http.StatusOK, make(chan int)),
	}
}

func TestOnePoisonedAddressCostsOthersNothing(t *testing.T) {
	t.Parallel()
	for name := range poisons() {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				w.hubspot.setRefuse(func(c apiCall) *http.Response {
					if slices.Contains(c.inputs, "poison@example.com") {
						return poisons()[name]
					}
					return nil
				})
				a := w.replica()
				people := []*session.Session{w.member("poison", "99", "1")}
				for i := range 99 {
					people = append(people, w.member("m"+strconv.Itoa(i), strconv.Itoa(1000+i), "1"))
				}
				for i, known := range w.knowAll(a, people) {
					if (known != nil) != (i > 0) {
						t.Errorf("%d: %+v", i, known)
					}
				}
				if a.outage.on() {
					t.Error("a visitor began an outage")
				}
				if calls := w.hubspot.received(); len(calls) > 30 {
					t.Errorf("%d calls", len(calls))
				}
				time.Sleep(retryAfter)
				newcomer := w.member("newcomer", "5000", "1")
				w.knowAll(a, []*session.Session{people[0], newcomer})
				if calls := w.hubspot.received(); len(calls) > 3 {
					t.Errorf("%d calls: it is not read alone", len(calls))
				}
			})
		})
	}
}

// TestFailuresThatProbesDoNotSeeCostAQuarter checks what failures of all calls about people cost.
func TestFailuresThatProbesDoNotSeeCostAQuarter(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.hubspot.setRefuse(func(c apiCall) *http.Response {
			if c.probe() {
				return nil
			}
			return respond(http.StatusBadRequest, nil)
		})
		a, people := w.replica(), []*session.Session(nil)
		for i := range batchSize {
			people = append(people, w.member("m"+strconv.Itoa(i), strconv.Itoa(1000+i), "1"))
		}
		w.knowAll(a, people)
		if _, took := w.timed(a, people[50], false); took != 0 {
			t.Error("a visitor waits again")
		}
		time.Sleep(3 * time.Minute)
		if calls := w.hubspot.received(); mostWithin(calls, time.Minute) > 1+suspectBurst+60*9/4 {
			t.Errorf("%d calls in a minute", mostWithin(calls, time.Minute))
		}
		w.hubspot.setRefuse(nil)
		time.Sleep(time.Minute)
		for i, known := range w.knowAll(a, people[:10]) {
			if known == nil {
				t.Errorf("%d is unknown when calls succeed again", i)
			}
		}
	})
}
