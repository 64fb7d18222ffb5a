package hubspot

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
)

// round sends a batch of jobs to HubSpot. An error is Redis' and ends the worker's turn; HubSpot's errors are handled
// here.
func (w *worker) round(ctx context.Context, jobs []*job) error {
	if err := w.outbox.setInFlight(ctx, jobs); err != nil {
		return err
	}
	persons, err := w.outbox.persons(ctx, jobs)
	if err != nil {
		return err
	}
	m := w.c.live.Load().mapping
	if err := w.refreshSchema(ctx, m); err != nil {
		return w.postpone(ctx, jobs, err)
	}
	r := &round{w: w, done: map[*job]bool{}}
	for i, j := range jobs {
		if err := r.classify(ctx, w.plan(j, persons[i], m), m); err != nil {
			return err
		}
	}
	if err = r.deliver(ctx, m); err == nil {
		err = r.link(ctx)
	}
	w.pending.remove(r.done)
	if err != nil {
		return err
	}
	return w.outbox.setInFlight(ctx, nil)
}

// postpone delays jobs of which nothing was sent.
func (w *worker) postpone(ctx context.Context, jobs []*job, failure error) error {
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
	return w.outbox.setInFlight(ctx, nil)
}

// round is one batch being sent.
type round struct {
	w       *worker
	plans   []*plan // contacts to be written
	linking []*plan // contacts that are up to date, whose browser may have to be linked
	done    map[*job]bool
}

// classify decides what a plan needs: nothing, a link to a browser, or a write.
func (r *round) classify(ctx context.Context, p *plan, m *mapping) error {
	if reason := m.skip(p.job.login); reason != "" && !p.job.forced || p.superseded() {
		return r.finish(ctx, p, unchanged, nil)
	}
	if p.job.state.LinkPending {
		r.linking = append(r.linking, p)
		return nil
	}
	until, skip := p.skipUntil(m, r.w.c.deps.Now())
	if !skip {
		r.plans = append(r.plans, p)
		return nil
	}
	p.holdUntil = until
	r.w.c.deps.Metrics.count(unchanged)
	if r.w.c.live.Load().canLink(p.job.login) {
		r.linking = append(r.linking, p)
		return nil
	}
	return r.closeJob(ctx, p)
}

// deliver makes the calls: a read of properties that must be empty, the batch, and a second batch for new contacts.
func (r *round) deliver(ctx context.Context, m *mapping) error {
	if len(r.plans) == 0 {
		return nil
	}
	if err := r.w.fill(ctx, r.plans); err != nil {
		return r.callFailed(ctx, r.plans, err)
	}
	plans, err := r.applyEmailChanges(ctx, m)
	if err != nil {
		return err
	}
	if err := r.w.send(ctx, plans); err != nil {
		if handled := r.callFailed(ctx, slices.DeleteFunc(slices.Clone(plans), (*plan).answered), err); handled != nil {
			return handled
		}
	}
	isNew, err := r.handleOutcomes(ctx, slices.DeleteFunc(plans, func(p *plan) bool { return !p.answered() }))
	if err != nil || len(isNew) == 0 {
		return err
	}
	if err := r.w.send(ctx, isNew); err != nil {
		if handled := r.callFailed(ctx, slices.DeleteFunc(slices.Clone(isNew), (*plan).answered), err); handled != nil {
			return handled
		}
	}
	_, err = r.handleOutcomes(ctx, slices.DeleteFunc(isNew, func(p *plan) bool { return !p.answered() }))
	return err
}

func (p *plan) answered() bool { return p.outcome != nil }

// handleOutcomes handles HubSpot's outcome of each contact. It returns new contacts that get more properties in a
// second call.
func (r *round) handleOutcomes(ctx context.Context, plans []*plan) (isNew []*plan, err error) {
	for _, p := range plans {
		o := p.outcome
		switch {
		case o.Err != nil && o.Err.Transient():
			err = r.retryLater(ctx, p, o.Err, true)
		case o.Err != nil:
			err = r.moveToDeadLetters(ctx, p, o.Err)
		case !p.job.state.Created && p.isNew() && len(p.onCreate) > 0:
			// Save the state before the second call: a process that resumes after a crash must still treat the contact
			// as new.
			p.job.state.Created = true
			if err = r.w.outbox.saveState(ctx, p.job); err == nil {
				p.write, p.onCreate, p.ifEmpty, p.outcome = p.onCreate, nil, nil, nil // a new contact is empty
				isNew = append(isNew, p)
			}
		default:
			err = r.complete(ctx, p)
		}
		if err != nil {
			return nil, err
		}
	}
	return isNew, nil
}

// clockSkew is the assumed maximum difference between HubSpot's clock and Redis'.
const clockSkew = 5 * time.Second

// isNew reports whether this job created the contact. If an earlier call may have succeeded without its response being
// received, HubSpot says new: false for a contact that this job created; then the contact's creation time decides.
func (p *plan) isNew() bool {
	repeated := p.job.state.Uncertain || p.job.state.Attempts > 0
	return p.outcome.Created || repeated && p.outcome.CreatedAt.After(p.job.since.Add(-clockSkew))
}

func (r *round) complete(ctx context.Context, p *plan) error {
	w := r.w
	w.failures, w.lastSuccess = 0, w.c.deps.Now()
	w.c.health.report(true, "accepts contacts", w.lastSuccess)
	if w.c.faults.ended(refusal) {
		w.c.deps.Log.Info("HubSpot accepts calls again")
	}
	how := updated
	if p.job.state.Created || p.isNew() {
		how = created
	}
	record := map[string]string{
		"sent": p.sent, "email": w.outbox.fingerprint(p.key), "cid": p.outcome.ContactID,
		"at": strconv.FormatInt(w.lastSuccess.UnixMilli(), 10), "result": string(how), "error": "",
		"made": p.job.originID,
	}
	if !w.c.live.Load().canLink(p.job.login) {
		return r.finish(ctx, p, how, record)
	}
	p.job.state.LinkPending, p.job.state.Created = true, false
	r.linking = append(r.linking, p)
	w.c.deps.Metrics.count(how)
	return w.outbox.saveRecord(ctx, p.job, record)
}

func (r *round) finish(ctx context.Context, p *plan, how result, record map[string]string) error {
	if err := r.w.outbox.finish(ctx, p.job, record, nil); err != nil {
		return err
	}
	r.done[p.job] = true
	r.w.c.deps.Metrics.count(how)
	return nil
}

// moveToDeadLetters moves a contact that HubSpot rejected for good to the dead letters.
func (r *round) moveToDeadLetters(ctx context.Context, p *plan, e *crm.APIError) error {
	now, j := r.w.c.deps.Now(), p.job
	first := now
	if j.state.First > 0 {
		first = time.UnixMilli(j.state.First)
	}
	l := &deadLetter{
		Entry: entry{Login: j.login, Forced: j.forced}, Count: j.count, OriginID: j.originID,
		Reason: e.Error(), Properties: p.write, Attempts: j.state.Attempts + 1, FirstAt: first, LastAt: now,
	}
	record := map[string]string{
		"result": string(dead), "error": l.Reason, "at": strconv.FormatInt(now.UnixMilli(), 10), "sent": "",
	}
	if err := r.w.outbox.finish(ctx, j, record, l); err != nil {
		return err
	}
	r.done[j] = true
	r.w.c.deps.Metrics.count(dead)
	r.w.c.deps.Log.Error("HubSpot rejected a contact, moved to the dead letters",
		"subject", r.w.outbox.logHash(j.login), "reason", l.Reason)
	return nil
}
