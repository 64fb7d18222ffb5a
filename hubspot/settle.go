package hubspot

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/outbox"
)

// complete ends the job of a contact that HubSpot wrote.
func (b *batch) complete(ctx context.Context, p *plan, o crm.Outcome) error {
	w, now := b.w, b.w.c.deps.Now()
	p.done, b.accepted, b.alone = true, true, 0
	w.failures, w.lastSuccess = 0, now
	w.c.health.report(true, "accepts contacts", now)
	if w.c.faults.ended(refusal) {
		w.c.deps.Log.Info("HubSpot accepts calls again")
	}
	if err := b.reportDrops(ctx, p); err != nil {
		return err
	}
	how := updated
	if o.Created || p.recreated {
		how = created
	}
	record := &outbox.Person{
		Sent: p.sent, Email: w.outbox.Fingerprint(p.key), ContactID: o.ContactID, At: now, Result: string(how),
	}
	if !w.c.live.Load().canLink(p.job.Login) {
		return b.finish(ctx, p, how, record)
	}
	p.job.State.LinkPending = true
	b.linking = append(b.linking, p)
	w.c.deps.Metrics.count(how)
	return w.outbox.SaveRecord(ctx, p.job, record)
}

func (b *batch) finish(ctx context.Context, p *plan, how result, record *outbox.Person) error {
	if err := b.w.outbox.Finish(ctx, p.job, record); err != nil {
		return err
	}
	b.settled[p.job] = true
	b.w.c.deps.Metrics.count(how)
	return nil
}

// moveToDeadLetters moves a contact that HubSpot rejected for good to the dead letters.
func (b *batch) moveToDeadLetters(ctx context.Context, p *plan, e *crm.APIError) error {
	reason := e.Error()
	if err := b.w.outbox.MoveToDeadLetters(ctx, p.job, reason, p.properties()); err != nil {
		return err
	}
	p.done, b.settled[p.job] = true, true
	b.w.c.deps.Metrics.count(dead)
	b.w.c.deps.Log.Error("HubSpot rejected a contact, moved to the dead letters",
		"subject", b.w.outbox.LogHash(p.job.Login), "reason", reason)
	return nil
}

// maxFailedAlone is the number of failed attempts alone after which a contact is given up. After 429 it is twice as
// high, because others may have used up the rate limit.
const maxFailedAlone = 8

// retryLater schedules a retry. A contact that keeps failing alone while HubSpot accepts others goes to the dead
// letters.
func (b *batch) retryLater(ctx context.Context, p *plan, e *crm.APIError, alone bool) error {
	b.w.blame(p.job)
	limit := maxFailedAlone
	if e.Status == http.StatusTooManyRequests {
		limit *= 2
	}
	if s := p.job.State; alone && !s.LinkPending && s.FailedAlone+1 >= limit && s.Blamed {
		return b.moveToDeadLetters(ctx, p, e)
	}
	p.done = true
	return b.w.scheduleRetry(ctx, p.job, e, alone)
}

// blame notes if HubSpot has accepted another contact since a job failed first.
func (w *worker) blame(j *outbox.Job) {
	first := j.State.First
	j.State.Blamed = j.State.Blamed || first > 0 && !w.lastSuccess.Before(time.UnixMilli(first))
}

// scheduleRetry saves a failed attempt in the queue. alone means that the contact itself may be at fault.
func (w *worker) scheduleRetry(ctx context.Context, j *outbox.Job, e *crm.APIError, alone bool) error {
	now := w.c.deps.Now()
	if j.State.First == 0 {
		j.State.First = now.UnixMilli()
	}
	j.State.Error, j.State.Held = e.Error(), false
	j.State.Attempts++
	wait := time.Duration(0)
	if alone {
		j.State.FailedAlone++
		wait = min(time.Second<<min(j.State.FailedAlone, 12), time.Hour)
		wait += rand.N(wait/4 + 1)
		if e.Status == http.StatusTooManyRequests {
			wait = max(wait, e.RateLimitPause())
		}
	}
	w.c.deps.Metrics.count(retried)
	j.State.Next = now.Add(wait).UnixMilli()
	return w.outbox.SaveState(ctx, j)
}

// closeJob ends a job whose contact is written: it leaves the queue, or is held there until min_interval ends.
func (b *batch) closeJob(ctx context.Context, p *plan) error {
	if p.holdUntil.IsZero() {
		if err := b.w.outbox.Finish(ctx, p.job, nil); err != nil {
			return err
		}
		b.settled[p.job] = true
		return nil
	}
	p.job.State = outbox.State{Held: true, Next: p.holdUntil.UnixMilli()}
	return b.w.outbox.SaveState(ctx, p.job)
}
