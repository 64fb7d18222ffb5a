package hubspot

import (
	"context"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/hubspot/outbox"
)

// batch is jobs that are sent together: plan decides what each of them needs, send writes it to HubSpot, and each job
// is settled: it ends, or its retry is scheduled.
type batch struct {
	w       *worker
	mapping *mapping.Mapping
	writing []*plan // contacts to be written
	linking []*plan // contacts that are up to date, whose browser may have to be linked
	settled map[*outbox.Job]bool
	stopped bool // no calls can be made now

	accepted bool      // HubSpot accepted a contact of the batch
	alone    int       // contacts that failed alone since HubSpot accepted one, for no reason that it names
	began    time.Time // when it was taken from the queue
	fresh    bool      // its jobs took part in no failed call before

	rejectedBefore []outbox.RejectedProperty // by earlier batches, and by no contact of this one
}

func newBatch(w *worker, jobs []*outbox.Job) *batch {
	return &batch{
		w: w, mapping: w.c.live.Load().mapping, settled: map[*outbox.Job]bool{},
		began: w.c.deps.Now(), fresh: w.order.isFresh(jobs),
	}
}

// plan decides what each job needs. If HubSpot's property definitions cannot be read, it postpones the jobs and returns
// false.
func (b *batch) plan(ctx context.Context, jobs []*outbox.Job) (planned bool, err error) {
	jobs, err = b.dropForgotten(ctx, jobs)
	if err != nil {
		return false, err
	}
	persons, err := b.w.outbox.Persons(ctx, jobs)
	if err != nil {
		return false, err
	}
	if err := b.w.refreshSchema(ctx, b.mapping); err != nil {
		return false, b.w.postpone(ctx, jobs, err)
	}
	if err := b.countClaims(ctx, jobs); err != nil {
		return false, err
	}
	if b.rejectedBefore, err = b.w.outbox.Rejected(ctx); err != nil {
		return false, err
	}
	for i, j := range jobs {
		if err := b.classify(ctx, b.w.newPlan(j, persons[i], b.mapping)); err != nil {
			return false, err
		}
	}
	return true, nil
}

// classify decides what a plan needs: nothing, a link to a browser, or a write.
func (b *batch) classify(ctx context.Context, p *plan) error {
	if reason := b.mapping.Skip(p.job.Login); reason != "" && !p.job.Forced || p.superseded() {
		return b.finish(ctx, p, unchanged, nil)
	}
	if outdated, err := b.w.isOutdated(ctx, p.job); err != nil {
		return err
	} else if outdated {
		return b.finish(ctx, p, unchanged, nil)
	}
	if p.job.State.LinkPending {
		b.linking = append(b.linking, p)
		return nil
	}
	until, skip := p.skipUntil(b.mapping, b.w.c.deps.Now())
	if !skip {
		b.writing = append(b.writing, p)
		return nil
	}
	p.holdUntil = until
	b.w.c.deps.Metrics.count(unchanged)
	if b.w.c.live.Load().canLink(p.job.Login) {
		b.linking = append(b.linking, p)
		return nil
	}
	return b.closeJob(ctx, p)
}

// send writes the contacts, and then links browsers to them.
func (b *batch) send(ctx context.Context) error {
	if !b.fresh {
		ctx = crm.WithLimit(ctx, doubtedLimit)
	}
	if err := b.write(ctx, b.writing); err != nil || b.stopped {
		return err
	}
	return b.link(ctx)
}

// write sends plans until each of them is done. What is left after a call has fewer properties, or another address to
// be found by.
func (b *batch) write(ctx context.Context, plans []*plan) error {
	for plans = undone(plans); len(plans) > 0 && !b.stopped; plans = undone(plans) {
		failure, err := b.attempt(ctx, plans)
		if err != nil {
			return err
		}
		if failure != nil {
			return b.callFailed(ctx, undone(plans), failure)
		}
	}
	return nil
}

// attempt reads what HubSpot has, moves contacts to changed addresses, and upserts the others. failure is a call to
// HubSpot that failed as a whole; plans that it was not about are done.
func (b *batch) attempt(ctx context.Context, plans []*plan) (failure, err error) {
	if failure := b.findMoved(ctx, plans); failure != nil {
		return failure, nil
	}
	if failure := b.read(ctx, plans); failure != nil {
		return failure, nil
	}
	byEmail, err := b.moveContacts(ctx, plans)
	if err != nil || b.stopped || len(byEmail) == 0 {
		return nil, err
	}
	return b.upsert(ctx, byEmail)
}
