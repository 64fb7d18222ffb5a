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
	"github.com/hubgate/hubgate/hubspot/ratelimit"
)

// callFailed handles a call that failed as a whole. Either HubSpot answers no calls now, then everything pauses and no
// contact is blamed. Or it rejects what the call contains, then the contacts are sent in halves until the offending one
// is alone.
func (b *batch) callFailed(ctx context.Context, plans []*plan, failure error) error {
	e, err := b.w.diagnose(ctx, plans, failure)
	switch {
	case e == nil:
		b.stopped = true
		return err
	case e.AboutCalls():
		return b.pause(ctx, plans, e)
	case b.leaveOut(plans, e.ForAllContacts()):
		return b.write(ctx, plans)
	case len(plans) > 1:
		half := len(plans) / 2
		if b.w.c.deps.Now().Sub(b.began) >= giveWayAfter {
			b.giveWay(half)
			return nil
		}
		if timedOut(failure) {
			ctx = crm.WithLimit(ctx, doubtedLimit)
		}
		if err := b.write(ctx, plans[:half]); err != nil {
			return err
		}
		return b.write(ctx, plans[half:])
	}
	return b.failedAlone(ctx, plans[0], e)
}

// maxAlone is how many contacts may fail alone in a row before the others give way to new logins.
const maxAlone = 3

// failedAlone handles the failure of a call about one contact. If HubSpot does not name the contact as the cause, it is
// only blamed once HubSpot has accepted another one. Any number of visitors can make their contacts fail, so it changes
// neither the pause nor the health.
func (b *batch) failedAlone(ctx context.Context, p *plan, e *crm.APIError) error {
	if e.AboutContacts() {
		if err := b.rejected(ctx, p, e); err != nil {
			return err
		}
		return b.write(ctx, []*plan{p})
	}
	if b.alone++; b.alone >= maxAlone {
		defer b.giveWay(maxAlone)
		b.w.order.waitUntil = b.w.c.deps.Now().Add(giveWayWait)
	}
	b.w.blame(p.job)
	if !e.Transient() && (b.accepted || p.job.State.Blamed) {
		return b.moveToDeadLetters(ctx, p, e)
	}
	return b.retryLater(ctx, p, e, true)
}

// diagnose returns HubSpot's error after a failed call: about all calls, or about what this one contained. If the error
// does not say, or is about contacts that paused calls or failed alone before, hubgate asks with a call of its own,
// which contains nothing that a visitor chose. e is nil if HubSpot is not the cause: calls are paused already, the
// process is shutting down, or Redis failed (err).
func (w *worker) diagnose(ctx context.Context, plans []*plan, failure error) (e *crm.APIError, err error) {
	e, err = w.apiError(ctx, failure)
	if e == nil || e.AboutContacts() || e.AboutCalls() && (e.Daily() || !w.order.suspects(plans, e.Status)) {
		return e, err
	}
	if failure := w.c.client.Probe(ctx); failure != nil {
		e, err = w.apiError(ctx, failure)
		return e.AboutAllCalls(), err
	}
	w.failures = 0
	w.c.health.report(true, "accepts calls", w.c.deps.Now())
	return e.AboutContent(), nil
}

// apiError returns the error of HubSpot that a call failed with, or nil if HubSpot is not the cause.
func (w *worker) apiError(ctx context.Context, failure error) (e *crm.APIError, err error) {
	switch {
	case ctx.Err() != nil || errors.Is(failure, ratelimit.ErrPaused):
		return nil, nil
	case ratelimit.IsRedisError(failure):
		return nil, failure
	case !errors.As(failure, &e):
		e = crm.Unanswered(failure)
	}
	return e, nil
}

// pause pauses all calls, and schedules the retry of the plans.
func (b *batch) pause(ctx context.Context, plans []*plan, e *crm.APIError) error {
	b.stopped = true
	if err := b.w.pauseAll(ctx, e); err != nil {
		return err
	}
	for _, p := range plans {
		b.w.order.pausedBy[p.job] = e.Status
		if err := b.retryLater(ctx, p, e, false); err != nil {
			return err
		}
	}
	return nil
}

// pauseAll pauses contact sync in all replicas. At HubSpot's limit, the calls of access pause as well: but only if the
// response names the limit, as no firewall does that a visitor's name or address makes respond 429.
func (w *worker) pauseAll(ctx context.Context, e *crm.APIError) error {
	w.c.health.report(false, "last call: "+e.Error(), w.c.deps.Now())
	pause := w.c.limits.PauseSync
	if e.Status == http.StatusTooManyRequests && e.Policy != "" {
		pause = w.c.limits.PauseAll
	}
	if err := pause(ctx, pauseReason(e), w.backOff(e)); err != nil {
		return err
	}
	if !e.Transient() {
		key := w.c.client.Token()
		if w.c.faults.firstTime(refusal + strconv.Itoa(e.Status) + e.Category + w.outbox.Fingerprint(key)) {
			w.c.deps.Log.Error("HubSpot rejects all calls; contacts stay in the queue", "error", pauseReason(e))
		}
		w.refusedToken = key
		w.c.health.refuse(true)
		w.c.deps.Refused()
	}
	return nil
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
	return d + rand.N(d/4+1)
}

// postpone delays jobs of which nothing was sent, because HubSpot's property definitions cannot be read.
func (w *worker) postpone(ctx context.Context, jobs []*outbox.Job, failure error) error {
	e, err := w.apiError(ctx, failure)
	if e == nil {
		return errors.Join(err, w.outbox.SetInFlight(ctx, nil))
	}
	if err := w.pauseAll(ctx, e); err != nil {
		return err
	}
	for _, j := range jobs {
		if err := w.scheduleRetry(ctx, j, e, false); err != nil {
			return err
		}
	}
	return w.outbox.SetInFlight(ctx, nil)
}
