package hubspot

import (
	"context"
	"slices"

	"github.com/hubgate/hubgate/hubspot/outbox"
)

// batch is jobs that are sent together: plan decides what each of them needs, send writes it to HubSpot, and settle
// ends each job or schedules its retry.
type batch struct {
	w       *worker
	mapping *mapping
	writing []*plan // contacts to be written
	linking []*plan // contacts that are up to date, whose browser may have to be linked
	settled map[*outbox.Job]bool
}

// plan decides what each job needs. If HubSpot's property definitions cannot be read, it postpones the jobs and returns
// false.
func (b *batch) plan(ctx context.Context, jobs []*outbox.Job) (planned bool, err error) {
	persons, err := b.w.outbox.Persons(ctx, jobs)
	if err != nil {
		return false, err
	}
	if err := b.w.refreshSchema(ctx, b.mapping); err != nil {
		return false, b.w.postpone(ctx, jobs, err)
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
	if reason := b.mapping.skip(p.job.Login); reason != "" && !p.job.Forced || p.superseded() {
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
	if len(b.writing) > 0 {
		if err := b.write(ctx); err != nil {
			return err
		}
	}
	return b.link(ctx)
}

// write writes the contacts in one call, after it has read which properties are empty, and more properties of the new
// ones in a second call.
func (b *batch) write(ctx context.Context) error {
	if err := b.w.fill(ctx, b.writing); err != nil {
		return b.callFailed(ctx, b.writing, err)
	}
	plans, err := b.applyEmailChanges(ctx)
	if err != nil {
		return err
	}
	added, err := b.upsert(ctx, plans)
	if err != nil {
		return err
	}
	_, err = b.upsert(ctx, added)
	return err
}

// upsert sends plans with worker.upsertAll, which isolates contacts that HubSpot rejects, and settles them. It returns
// new contacts that get more properties in a second call.
func (b *batch) upsert(ctx context.Context, plans []*plan) (added []*plan, err error) {
	if err := b.w.upsertAll(ctx, plans); err != nil {
		unanswered := slices.DeleteFunc(slices.Clone(plans), (*plan).answered)
		if err := b.callFailed(ctx, unanswered, err); err != nil {
			return nil, err
		}
	}
	return b.settle(ctx, slices.DeleteFunc(plans, func(p *plan) bool { return !p.answered() }))
}
