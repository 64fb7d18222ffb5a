package hubspot

import (
	"context"
	"slices"
	"strconv"
	"time"
)

// round brings a batch of jobs to HubSpot. Errors are Redis' and end the holder's time; HubSpot's are dealt with here.
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

// postpone puts jobs off before anything of them was sent.
func (w *worker) postpone(ctx context.Context, jobs []*job, failure error) error {
	e, err := w.pauseAll(ctx, failure)
	if err != nil || ctx.Err() != nil {
		return err
	}
	for _, j := range jobs {
		if e == nil {
			break // nothing was tried
		}
		if err := w.scheduleRetry(ctx, j, e, false); err != nil {
			return err
		}
	}
	return w.outbox.setInFlight(ctx, nil)
}

// round is one batch on its way.
type round struct {
	w       *worker
	plans   []*plan // what HubSpot has to be told
	linking []*plan // whose contact is right, and whose browser may have to be tied to it
	done    map[*job]bool
}

// consider sorts out who needs no call.
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

// deliver makes the calls: what is empty, the batch, and what new contacts get in addition.
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

// settle deals with what HubSpot answered about each contact. It returns those who are new and get more in a second call.
func (r *round) handleOutcomes(ctx context.Context, plans []*plan) (isNew []*plan, err error) {
	for _, p := range plans {
		o := p.outcome
		switch {
		case o.err != nil && o.err.transient():
			err = r.retryLater(ctx, p, o.err, true)
		case o.err != nil:
			err = r.moveToDeadLetters(ctx, p, o.err)
		case !p.job.state.Created && p.isNew() && len(p.onCreate) > 0:
			// First to the queue, then to HubSpot: a process that dies in between must not take the contact for an old one.
			p.job.state.Created = true
			if err = r.w.outbox.saveState(ctx, p.job); err == nil {
				p.write, p.onCreate, p.ifEmpty, p.outcome = p.onCreate, nil, nil, nil // nothing is anybody's own in a contact made just now
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

// clockSkew is by how much HubSpot's clock may differ from Redis'.
const clockSkew = 5 * time.Second

// isNew tells that this job made the contact. When an earlier call for it may have got through unheard, HubSpot says new: false for a
// contact of our own; then the time of its creation tells.
func (p *plan) isNew() bool {
	repeated := p.job.state.Uncertain || p.job.state.Attempts > 0
	return p.outcome.created || repeated && p.outcome.createdAt.After(p.job.since.Add(-clockSkew))
}

func (r *round) complete(ctx context.Context, p *plan) error {
	w := r.w
	w.failures, w.lastSuccess = 0, w.c.deps.Now()
	w.c.health.report(true, "takes contacts", w.lastSuccess)
	if w.c.faults.ended(refusal) {
		w.c.deps.Log.Info("HubSpot accepts calls again")
	}
	how := updated
	if p.job.state.Created || p.isNew() {
		how = created
	}
	record := map[string]string{
		"sent": p.sent, "email": w.outbox.fingerprint(p.key), "cid": p.outcome.contactID,
		"at": strconv.FormatInt(w.lastSuccess.UnixMilli(), 10), "result": string(how), "error": "", "made": p.job.originID,
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

// bury sends a contact that HubSpot will never take to the dead letters.
func (r *round) moveToDeadLetters(ctx context.Context, p *plan, e *apiError) error {
	now, j := r.w.c.deps.Now(), p.job
	first := now
	if j.state.First > 0 {
		first = time.UnixMilli(j.state.First)
	}
	l := &deadLetter{
		Entry: entry{Login: j.login, Forced: j.forced}, Count: j.count, Reason: e.Error(), Properties: p.write, OriginID: j.originID,
		Attempts: j.state.Attempts + 1, FirstAt: first, LastAt: now,
	}
	record := map[string]string{"result": string(dead), "error": l.Reason, "at": strconv.FormatInt(now.UnixMilli(), 10), "sent": ""}
	if err := r.w.outbox.finish(ctx, j, record, l); err != nil {
		return err
	}
	r.done[j] = true
	r.w.c.deps.Metrics.count(dead)
	r.w.c.deps.Log.Error("contact is dead: HubSpot will not take it", "subject", r.w.outbox.logHash(j.login), "reason", l.Reason)
	return nil
}
