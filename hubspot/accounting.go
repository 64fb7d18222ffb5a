package hubspot

import (
	"context"
	"fmt"
	"slices"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/hubspot/outbox"
)

// reportDrops reports the values of a written contact that did not reach HubSpot: in the log the first time, in a
// metric, and in the status.
func (b *batch) reportDrops(ctx context.Context, p *plan) error {
	if err := b.forgetFixed(ctx, p); err != nil || len(p.drops) == 0 {
		return err
	}
	list := make([]outbox.RejectedProperty, len(p.drops))
	for i, d := range p.drops {
		r, _ := b.mapping.Rule(d.Property)
		list[i] = outbox.RejectedProperty{
			Property: d.Property, Code: string(d.Reason), Reason: d.Text(), Rule: r.Mark(),
		}
	}
	counts, err := b.w.outbox.CountRejected(ctx, list)
	if err != nil {
		return err
	}
	for i, d := range p.drops {
		b.w.c.deps.Metrics.rejected.WithLabelValues(d.Property, string(d.Reason)).Inc()
		if b.w.c.faults.firstTime("property " + d.Property + " " + list[i].Reason) {
			b.w.c.deps.Log.Warn("a value did not reach HubSpot",
				"property", d.Property, "reason", list[i].Reason, "count", counts[i])
		}
	}
	return nil
}

// forgetFixed removes the rejected properties whose values HubSpot accepts again, as a written contact shows. Those
// that another contact of the batch lacks stay.
func (b *batch) forgetFixed(ctx context.Context, p *plan) error {
	for _, d := range p.drops {
		b.rejectedBefore = slices.DeleteFunc(b.rejectedBefore,
			func(r outbox.RejectedProperty) bool { return r.Property == d.Property })
	}
	var fixed []outbox.RejectedProperty
	b.rejectedBefore = slices.DeleteFunc(b.rejectedBefore, func(r outbox.RejectedProperty) bool {
		over := p.shows(r) && b.mapping.IsFixed(r)
		if over {
			fixed = append(fixed, r)
			b.w.c.faults.ended("property " + r.Property + " " + r.Reason)
		}
		return over
	})
	return b.w.outbox.ForgetRejected(ctx, fixed)
}

// shows reports whether a written contact shows that a value of the property reaches HubSpot: it was written, or the
// token can read whether it has to be.
func (p *plan) shows(r outbox.RejectedProperty) bool {
	return slices.ContainsFunc(p.wants, func(w want) bool {
		return w.property == r.Property && (p.writes(w) || p.read && crm.Reason(r.Code) == crm.NoRead)
	})
}

// forgetRejected removes rejected properties that are no longer worth showing.
func (w *worker) forgetRejected(ctx context.Context, m *mapping.Mapping) error {
	list, err := w.outbox.Rejected(ctx)
	if err != nil {
		return err
	}
	var over []outbox.RejectedProperty
	for _, p := range list {
		if m.IsOver(p, w.schema.known, w.c.deps.Now()) {
			over = append(over, p)
			w.c.faults.ended("property " + p.Property + " " + p.Reason)
		}
	}
	return w.outbox.ForgetRejected(ctx, over)
}

// Mapped claims that no login carried are reported after this many logins without them.
const unseenLogins = 3

// countClaims saves which mapped claims the logins carry. A claim that no login of the last day carried is probably
// misspelt, which is logged once.
func (b *batch) countClaims(ctx context.Context, jobs []*outbox.Job) error {
	seen, missing := map[string]bool{}, map[string]int64{}
	for _, j := range jobs {
		if j.State != (outbox.State{}) || j.Login.At.IsZero() || j.Imported {
			continue // counted before, or not a login
		}
		carried, lacking := b.mapping.Claims(j.Login)
		for _, name := range carried {
			seen[name] = true
		}
		for _, name := range lacking {
			missing[name]++
		}
	}
	for name := range seen {
		delete(missing, name)
	}
	if len(seen)+len(missing) == 0 {
		return nil
	}
	uses, err := b.w.outbox.CountClaims(ctx, seen, missing)
	if err != nil {
		return err
	}
	for _, u := range b.mapping.UnseenClaims(uses, b.w.c.deps.Now()) {
		if u.Logins >= unseenLogins && b.w.c.faults.firstTime("claim "+u.Claim+" "+u.Property) {
			b.w.c.deps.Log.Warn("no login of the last day carried this claim; is its name misspelt?",
				"claim", u.Claim, "property", u.Property, "logins", u.Logins)
		}
	}
	return nil
}

// Status reads the state of the queue. Queued, Delayed, Held and InFlight are disjoint.
func (c *Contacts) Status(ctx context.Context) (outbox.Status, error) {
	s, err := c.outbox.Status(ctx)
	if err != nil {
		return s, err
	}
	live, now := c.live.Load(), c.deps.Now()
	reason, paused, err := c.limits.Paused(ctx)
	if err != nil {
		return s, fmt.Errorf("hubspot: read the pause: %w", err)
	}
	if paused > 0 {
		until := now.Add(paused).UTC()
		s.PausedUntil, s.PausedBecause = &until, reason
	}
	m := live.mapping
	if s.Sync = "off"; live.on() {
		s.Sync = "on"
	}
	var known crm.Schema
	if k := c.known.Load(); k != nil {
		known = *k
	}
	shown := []outbox.RejectedProperty{}
	for _, p := range s.RejectedProperties {
		if !m.IsOver(p, known, now) {
			shown = append(shown, p)
		}
	}
	s.RejectedProperties = shown
	uses, err := c.outbox.ClaimUses(ctx)
	s.UnseenClaims = m.UnseenClaims(uses, now)
	return s, err
}
