package cli

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/command"
)

func TestBackfillRepeatsARequestAfterATransientFailure(t *testing.T) {
	t.Parallel()
	file := peopleCSV(t, 300, 0)
	for _, status := range []int{0, http.StatusServiceUnavailable, http.StatusBadGateway} {
		for _, done := range []bool{false, true} {
			a := newImportAPI(t)
			a.failAt, a.done, a.status = 2, done, status
			status, stdout, stderr := a.backfill(file)
			if status != command.ExitOK || len(a.rows) != 300 ||
				!strings.Contains(stderr, "200 of 300 rows queued; trying again: ") {
				t.Errorf("%d, done: %v: %d %q %q, %d rows", a.status, done, status, stdout, stderr, len(a.rows))
			}
		}
	}
}

func TestBackfillDoesNotAdviseToRepeatWhatIsRefused(t *testing.T) {
	t.Parallel()
	for _, refusal := range []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusConflict} {
		a := newImportAPI(t)
		a.failAt, a.status = 1, refusal
		status, _, stderr := a.backfill(peopleCSV(t, 3, 0))
		if status != command.ExitFailed || strings.Contains(stderr, "same command again") || a.requests != 1 {
			t.Errorf("%d: %d %q", refusal, status, stderr)
		}
	}
}

func TestBackfillNamesThePauseThatItWaitsFor(t *testing.T) {
	t.Parallel()
	for _, because := range []string{"401: HubSpot rejects the token", "403: missing scopes", "no answer"} {
		a, until := newImportAPI(t), time.Now().Add(time.Hour)
		a.room, a.state = 150, outbox.Status{PausedUntil: &until, PausedBecause: because}
		status, _, stderr := a.backfill(peopleCSV(t, 200, 0))
		if want := "paused: " + because; status != command.ExitOK || strings.Count(stderr, want) != 1 {
			t.Errorf("%d, no %q in %q", status, want, stderr)
		}
	}
}
