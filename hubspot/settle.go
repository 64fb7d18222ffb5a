package hubspot

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/outbox"
)

// settle ends the job of each plan by HubSpot's outcome, or schedules its retry. It returns new contacts that get more
// properties in a second call.
func (b *batch) settle(ctx context.Context, plans []*plan) (added []*plan, err error) {
	for _, p := range plans {
		o := p.outcome
		switch {
		case o.Err != nil && o.Err.Transient():
			err = b.retryLater(ctx, p, o.Err, true)
		case o.Err != nil:
			err = b.moveToDeadLetters(ctx, p, o.Err)
		case !p.job.State.Created && p.isNew() && len(p.onCreate) > 0:
			// Save the state before the second call: a process that resumes after a crash must still treat the contact
			// as new.
			p.job.State.Created = true
			if err = b.w.outbox.SaveState(ctx, p.job); err == nil {
				p.write, p.onCreate, p.ifEmpty, p.outcome = p.onCreate, nil, nil, nil // a new contact is empty
				added = append(added, p)
			}
		default:
			err = b.complete(ctx, p)
		}
		if err != nil {
			return nil, err
		}
	}
	return added, nil
}

// clockSkew is the assumed maximum difference between HubSpot's clock and Redis'.
const clockSkew = 5 * time.Second

// isNew reports whether this job created the contact. If an earlier call may have succeeded without its response being
// received, HubSpot reports new: false for a contact that this job created; then the contact's creation time decides.
func (p *plan) isNew() bool {
	repeated := p.job.State.Uncertain || p.job.State.Attempts > 0
	return p.outcome.Created || repeated && p.outcome.CreatedAt.After(p.job.Since.Add(-clockSkew))
}

func (b *batch) complete(ctx context.Context, p *plan) error {
	w := b.w
	w.failures, w.lastSuccess = 0, w.c.deps.Now()
	w.c.health.report(true, "accepts contacts", w.lastSuccess)
	if w.c.faults.ended(refusal) {
		w.c.deps.Log.Info("HubSpot accepts calls again")
	}
	how := updated
	if p.job.State.Created || p.isNew() {
		how = created
	}
	record := &outbox.Person{
		Sent: p.sent, Email: w.outbox.Fingerprint(p.key), ContactID: p.outcome.ContactID, At: w.lastSuccess,
		Result: string(how),
	}
	if !w.c.live.Load().canLink(p.job.Login) {
		return b.finish(ctx, p, how, record)
	}
	p.job.State.LinkPending, p.job.State.Created = true, false
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
	if err := b.w.outbox.MoveToDeadLetters(ctx, p.job, reason, p.write); err != nil {
		return err
	}
	b.settled[p.job] = true
	b.w.c.deps.Metrics.count(dead)
	b.w.c.deps.Log.Error("HubSpot rejected a contact, moved to the dead letters",
		"subject", b.w.outbox.LogHash(p.job.Login), "reason", reason)
	return nil
}

// retryLater schedules a retry. A contact that keeps failing alone while HubSpot accepts others goes to the dead
// letters.
func (b *batch) retryLater(ctx context.Context, p *plan, e *crm.APIError, alone bool) error {
	if err := b.w.scheduleRetry(ctx, p.job, e, alone); err != nil {
		return err
	}
	s := p.job.State
	if !s.LinkPending && s.FailedAlone >= maxFailedAlone && b.w.lastSuccess.After(time.UnixMilli(s.First)) {
		return b.moveToDeadLetters(ctx, p, e)
	}
	return nil
}

// scheduleRetry saves a failed attempt in the queue. alone means that only this contact was sent, so it may be at
// fault.
func (w *worker) scheduleRetry(ctx context.Context, j *outbox.Job, e *crm.APIError, alone bool) error {
	now := w.c.deps.Now()
	if j.State.First == 0 {
		j.State.First = now.UnixMilli()
	}
	j.State.Error, j.State.Held = e.Error(), false
	wait := time.Duration(0)
	if e.Transient() {
		j.State.Attempts++
		if alone && e.Status != http.StatusTooManyRequests {
			j.State.FailedAlone++
			wait = min(time.Second<<min(j.State.FailedAlone, 12), time.Hour)
			wait += rand.N(wait/4 + 1)
		}
		if alone && e.Status == http.StatusTooManyRequests {
			wait = e.RateLimitPause()
		}
		w.c.deps.Metrics.count(retried)
	}
	j.State.Next = now.Add(wait).UnixMilli()
	return w.outbox.SaveState(ctx, j)
}

// maxFailedAlone is the number of failed attempts alone after which a contact is given up, if HubSpot accepted others
// meanwhile.
const maxFailedAlone = 8

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
