package hubspot

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/outbox"
)

// readRefused reports whether reading is not permitted or not possible at all; writing may still be.
func readRefused(err error) bool {
	var e *crm.APIError
	return errors.As(err, &e) && !e.Transient() && e.Status != http.StatusUnauthorized
}

// callFailed handles a call that failed as a whole: all calls pause, and the contacts are retried later.
func (b *batch) callFailed(ctx context.Context, plans []*plan, err error) error {
	e, err := b.w.pauseAll(ctx, err)
	if e == nil {
		return err
	}
	for _, p := range plans {
		if err := b.retryLater(ctx, p, e, len(plans) == 1); err != nil {
			return err
		}
	}
	return nil
}

// pauseAll pauses all calls after a failed one. e is nil if HubSpot is not the cause: the calls are paused already, the
// process is shutting down, or Redis failed (err).
func (w *worker) pauseAll(ctx context.Context, failure error) (e *crm.APIError, err error) {
	switch {
	case ctx.Err() != nil || errors.Is(failure, outbox.ErrPaused):
		return nil, nil
	case outbox.IsRedisError(failure):
		return nil, failure
	case !errors.As(failure, &e):
		e = crm.Unanswered(failure)
	}
	w.c.health.report(false, "last call: "+e.Error(), w.c.deps.Now())
	if err := w.c.limiter.Pause(ctx, pauseReason(e), w.backOff(e)); err != nil {
		return nil, err
	}
	if !e.Transient() {
		key := w.c.client.Token()
		if w.c.faults.firstTime(refusal + strconv.Itoa(e.Status) + e.Category + w.outbox.Fingerprint(key)) {
			w.c.deps.Log.Error("HubSpot rejects all calls; contacts stay in the queue", "error", pauseReason(e))
		}
		w.refusedToken = w.c.client.Token()
	}
	return e, nil
}

// pauseReason returns why calls are paused after a failure, and the cure.
func pauseReason(e *crm.APIError) string {
	switch {
	case e.Status == http.StatusUnauthorized:
		return "401: HubSpot rejects the token; put a new one into hubspot.access_token"
	case len(e.Scopes) > 0:
		return "403: the token lacks scopes; grant them in HubSpot: " + strings.Join(e.Scopes, ", ")
	case e.Daily():
		return "429: the account's daily limit is reached; a call is tried from time to time until HubSpot's day ends"
	case e.Status == http.StatusTooManyRequests:
		return "429: HubSpot's rate limit is reached; if this is frequent, lower hubspot.rate_limit"
	case e.Status == crm.StatusMigration:
		return "477: HubSpot is moving the account; it continues by itself"
	}
	return e.Error() + "; it continues when HubSpot answers again"
}

// backOff returns how long all calls pause after a failure.
func (w *worker) backOff(e *crm.APIError) time.Duration {
	if e.Status == http.StatusTooManyRequests {
		return e.RateLimitPause()
	}
	w.failures++
	d := min(time.Second<<min(w.failures-1, 6), time.Minute)
	if e.RetryAfter > 0 {
		d = e.RetryAfter
	}
	if e.Status == http.StatusLocked {
		d = max(d, 2*time.Second)
	}
	return d + rand.N(d/4+1)
}

// postpone delays jobs of which nothing was sent.
func (w *worker) postpone(ctx context.Context, jobs []*outbox.Job, failure error) error {
	e, err := w.pauseAll(ctx, failure)
	if err != nil || ctx.Err() != nil {
		return err
	}
	for _, j := range jobs {
		if e == nil {
			break // no call was made
		}
		if err := w.scheduleRetry(ctx, j, e, false); err != nil {
			return err
		}
	}
	return w.outbox.SetInFlight(ctx, nil)
}
