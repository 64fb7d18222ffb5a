package hubspot

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
)

// upsertAll upserts plans and sets the outcome of each. Properties that HubSpot rejects are left out and the rest is
// sent again. A batch that is rejected as a whole is split in halves until the offending contact is alone. An error
// leaves plans without outcome.
func (w *worker) upsertAll(ctx context.Context, plans []*plan) error {
	for len(plans) > 0 {
		outcomes, err := w.upsert(ctx, plans)
		var refused *crm.APIError
		switch {
		case err == nil:
			plans, err = w.applyOutcomes(ctx, plans, outcomes)
		case !errors.As(err, &refused) || !refused.AboutContacts():
		case len(plans) == 1:
			plans, err = w.applyOutcomes(ctx, plans, map[string]crm.Outcome{plans[0].job.Newest(): {Err: refused}})
		case w.dropRefusedFromAll(ctx, plans, refused.ForAllContacts()):
			err = nil
		default:
			half := len(plans) / 2
			err = w.upsertAll(ctx, plans[:half])
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
		o, known := outcomes[p.job.Newest()]
		switch {
		case !known:
			p.outcome = &crm.Outcome{Err: crm.Unanswered(errNotMentioned)}
		case o.Err == nil || o.Err.Transient():
			p.outcome = &o
		case w.dropRefused(ctx, p, o.Err.BadProperties):
			again = append(again, p)
		default:
			refused = append(refused, p)
		}
	}
	for _, p := range refused {
		handle := w.upsertPropertyByProperty
		if outcomes[p.job.Newest()].Err.Status == http.StatusConflict {
			handle = w.resolveConflict
		}
		repeat, err := handle(ctx, p, outcomes[p.job.Newest()].Err)
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
func (w *worker) dropRefusedFromAll(ctx context.Context, plans []*plan, drops []crm.Drop) (changed bool) {
	for _, p := range plans {
		changed = w.dropRefused(ctx, p, drops) || changed
	}
	return changed
}

// dropRefused leaves out the properties that HubSpot rejected. It reports whether the plan had any of them.
func (w *worker) dropRefused(ctx context.Context, p *plan, drops []crm.Drop) bool {
	changed := false
	for _, b := range drops {
		if _, written := p.write[b.Property]; written {
			delete(p.write, b.Property)
			changed = true
			w.reportLeftOut(ctx, b)
			if b.Reason != crm.Rejected {
				w.refused[b.Property] = w.c.deps.Now().Add(10 * time.Minute)
				w.schema.readAt = time.Time{} // read the changed definitions again
			}
		}
	}
	return changed
}

// reportLeftOut logs and counts a property that is left out.
func (w *worker) reportLeftOut(ctx context.Context, b crm.Drop) {
	if w.c.faults.firstTime("property " + b.Property + b.Text()) {
		w.c.deps.Log.Warn("a property is left out of contacts", "property", b.Property, "reason", b.Text())
	}
	if err := w.outbox.CountRejected(ctx, b.Property, b.Text()); err != nil {
		w.c.deps.Log.Info("could not count a rejected property", "property", b.Property, "error", err)
	}
}
