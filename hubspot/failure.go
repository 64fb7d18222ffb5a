package hubspot

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
)

// send upserts plans and sets the outcome of each. Properties that HubSpot rejects are left out and the rest is sent
// again. A batch that is rejected as a whole is split in halves until the offending contact is alone. An error leaves
// plans without outcome.
func (w *worker) send(ctx context.Context, plans []*plan) error {
	for len(plans) > 0 {
		outcomes, err := w.upsert(ctx, plans)
		var refused *crm.APIError
		switch {
		case err == nil:
			plans, err = w.applyOutcomes(ctx, plans, outcomes)
		case !errors.As(err, &refused) || !refused.AboutContacts():
		case len(plans) == 1:
			plans, err = w.applyOutcomes(ctx, plans, map[string]crm.Outcome{plans[0].job.newest(): {Err: refused}})
		case refused.ForAllContacts() != nil && w.dropRefusedFromAll(ctx, plans, refused.ForAllContacts()):
			err = nil
		default:
			half := len(plans) / 2
			err = w.send(ctx, plans[:half])
			plans = plans[half:]
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) upsert(ctx context.Context, plans []*plan) (outcomes map[string]crm.Outcome, err error) {
	err = w.writeWhileFresh(ctx, plans, "", func(before time.Time) (err error) {
		inputs := make([]crm.Input, len(plans))
		for i, p := range plans {
			inputs[i] = p.input()
		}
		outcomes, err = w.c.client.Upsert(ctx, inputs, before)
		return err
	})
	return outcomes, err
}

// applyOutcomes sets the outcomes and returns the plans to send again with fewer properties. An error leaves plans
// without outcome.
func (w *worker) applyOutcomes(
	ctx context.Context, plans []*plan, outcomes map[string]crm.Outcome,
) (again []*plan, err error) {
	var refused []*plan // handled one by one
	for _, p := range plans {
		o, known := outcomes[p.job.newest()]
		switch {
		case !known:
			p.outcome = &crm.Outcome{Err: crm.Unanswered(errNotMentioned)}
		case o.Err == nil || o.Err.Transient():
			p.outcome = &o
		case w.dropRefused(ctx, p, o.Err):
			again = append(again, p)
		default:
			refused = append(refused, p)
		}
	}
	for _, p := range refused {
		handle := w.upsertPropertyByProperty
		if outcomes[p.job.newest()].Err.Status == http.StatusConflict {
			handle = w.resolveConflict
		}
		repeat, err := handle(ctx, p, outcomes[p.job.newest()].Err)
		if err != nil {
			return nil, err
		}
		if repeat {
			again = append(again, p)
		}
	}
	return again, nil
}

// dropRefusedFromAll calls dropRefused for each plan. It reports whether any plan changed.
func (w *worker) dropRefusedFromAll(ctx context.Context, plans []*plan, e *crm.APIError) (changed bool) {
	for _, p := range plans {
		changed = w.dropRefused(ctx, p, e) || changed
	}
	return changed
}

// dropRefused leaves out the properties that HubSpot rejected. It reports whether the plan had any of them.
func (w *worker) dropRefused(ctx context.Context, p *plan, e *crm.APIError) bool {
	changed := false
	for _, b := range e.BadProperties {
		if _, written := p.write[b.Name]; written {
			delete(p.write, b.Name)
			changed = true
			w.reportLeftOut(ctx, b)
			if b.ForAllContacts() {
				w.refused[b.Name] = w.c.deps.Now().Add(10 * time.Minute)
				w.schema.readAt = time.Time{} // read the changed definitions again
			}
		}
	}
	return changed
}

// reportLeftOut logs and counts a property that is left out.
func (w *worker) reportLeftOut(ctx context.Context, b crm.BadProperty) {
	if w.c.faults.firstTime("property " + b.Name + b.Reason) {
		w.c.deps.Log.Warn("a property is left out of contacts", "property", b.Name, "reason", b.Reason)
	}
	if err := w.outbox.countRejected(ctx, b); err != nil {
		w.c.deps.Log.Info("could not count a rejected property", "property", b.Name, "error", err)
	}
}

// readRefused reports whether reading is not permitted or not possible at all; writing may still be.
func readRefused(err error) bool {
	var e *crm.APIError
	return errors.As(err, &e) && !e.Transient() && e.Status != http.StatusUnauthorized
}

// callFailed handles a call that failed as a whole: all calls pause, and the contacts are retried later.
func (r *round) callFailed(ctx context.Context, plans []*plan, err error) error {
	e, err := r.w.pauseAll(ctx, err)
	if e == nil {
		return err
	}
	for _, p := range plans {
		if err := r.retryLater(ctx, p, e, len(plans) == 1); err != nil {
			return err
		}
	}
	return nil
}

// pauseAll pauses all calls after a failed one. It returns no apiError if HubSpot is not the cause: the calls are
// paused already, the process is shutting down, or Redis failed (err).
func (w *worker) pauseAll(ctx context.Context, failure error) (e *crm.APIError, err error) {
	switch {
	case ctx.Err() != nil || errors.Is(failure, errPaused):
		return nil, nil
	case isRedisError(failure):
		return nil, failure
	case !errors.As(failure, &e):
		e = crm.Unanswered(failure)
	}
	w.c.health.report(false, "last call: "+e.Error(), w.c.deps.Now())
	if err := w.c.limiter.pause(ctx, e.Error(), w.backOff(e)); err != nil {
		return nil, err
	}
	if !e.Transient() {
		key := w.c.client.Token()
		if w.c.faults.firstTime(refusal + strconv.Itoa(e.Status) + e.Category + w.outbox.fingerprint(key)) {
			cure := ""
			if e.Status == http.StatusUnauthorized {
				cure = ": put a new token into hubspot.access_token"
			}
			w.c.deps.Log.Error("HubSpot rejects all calls"+cure+"; contacts stay in the queue", "error", e.Error())
		}
		w.refusedToken = w.c.client.Token()
	}
	return e, nil
}

// retryLater schedules a retry. A contact that keeps failing alone while HubSpot accepts others goes to the dead
// letters.
func (r *round) retryLater(ctx context.Context, p *plan, e *crm.APIError, alone bool) error {
	if err := r.w.scheduleRetry(ctx, p.job, e, alone); err != nil {
		return err
	}
	s := p.job.state
	if !s.LinkPending && s.FailedAlone >= maxFailedAlone && r.w.lastSuccess.After(time.UnixMilli(s.First)) {
		return r.moveToDeadLetters(ctx, p, e)
	}
	return nil
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

// scheduleRetry saves a failed attempt in the queue. alone means that only this contact was sent, so it may be at
// fault.
func (w *worker) scheduleRetry(ctx context.Context, j *job, e *crm.APIError, alone bool) error {
	now := w.c.deps.Now()
	if j.state.First == 0 {
		j.state.First = now.UnixMilli()
	}
	j.state.Error, j.state.Held = e.Error(), false
	wait := time.Duration(0)
	if e.Transient() {
		j.state.Attempts++
		if alone && e.Status != http.StatusTooManyRequests {
			j.state.FailedAlone++
			wait = min(time.Second<<min(j.state.FailedAlone, 12), time.Hour)
			wait += rand.N(wait/4 + 1)
		}
		if alone && e.Status == http.StatusTooManyRequests {
			wait = e.RateLimitPause()
		}
		w.c.deps.Metrics.count(retried)
	}
	j.state.Next = now.Add(wait).UnixMilli()
	return w.outbox.saveState(ctx, j)
}

// maxFailedAlone is the number of failed attempts alone after which a contact is given up, if HubSpot accepted others
// meanwhile.
const maxFailedAlone = 8

// batchLimit returns the size of the next batch. It shrinks after repeated failures, so that one contact that makes
// HubSpot fail is isolated and does not block the others.
func (w *worker) batchLimit() int {
	switch {
	case w.failures < 2:
		return batchSize
	case w.failures < 3:
		return batchSize / 10
	}
	return 1
}

// batchUntilSuspect returns the jobs before the first one that failed alone, or only that one if it comes first.
func batchUntilSuspect(ready []*job) []*job {
	for i, j := range ready {
		if j.state.FailedAlone > 1 {
			if i == 0 {
				return ready[:1]
			}
			return ready[:i]
		}
	}
	return ready
}

// isRedisError reports whether Redis failed, not HubSpot.
func isRedisError(err error) bool { return errors.Is(err, errLeaseLost) || errors.Is(err, errLimiter) }
