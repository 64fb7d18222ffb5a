package hubspot

import (
	"context"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/outbox"
)

// account reports the values of a written contact that did not reach HubSpot: in the log the first time, in a metric,
// and in the status.
func (b *batch) account(ctx context.Context, p *plan) error {
	if len(p.drops) == 0 {
		return nil
	}
	list := make([]outbox.RejectedProperty, len(p.drops))
	for i, d := range p.drops {
		r, _ := b.mapping.rule(d.Property)
		list[i] = outbox.RejectedProperty{
			Property: d.Property, Code: string(d.Reason), Reason: d.Text(), Rule: r.mark(),
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

// rejectedFor is how long a rejected property is shown after the last value that did not reach HubSpot.
const rejectedFor = 7 * 24 * time.Hour

// isOver reports whether a rejected property is no longer worth showing: it is old, the mapping has changed, or HubSpot
// has the property now.
func (m *mapping) isOver(p outbox.RejectedProperty, known crm.Schema, now time.Time) bool {
	r, mapped := m.rule(p.Property)
	switch crm.Reason(p.Code) {
	case crm.NoSuchProperty, crm.ReadOnly:
		if known != nil && known.Unwritable(p.Property) == "" {
			return true
		}
	}
	return !mapped || p.Rule != "" && p.Rule != r.mark() || now.Sub(p.LastAt) > rejectedFor
}

// forgetRejected removes rejected properties that are no longer worth showing.
func (w *worker) forgetRejected(ctx context.Context, m *mapping) error {
	list, err := w.outbox.Rejected(ctx)
	if err != nil {
		return err
	}
	var over []outbox.RejectedProperty
	for _, p := range list {
		if m.isOver(p, w.schema.known, w.c.deps.Now()) {
			over = append(over, p)
			w.c.faults.ended("property " + p.Property + " " + p.Reason)
		}
	}
	return w.outbox.ForgetRejected(ctx, over)
}

// Mapped claims that no login carried are reported after this many logins without them.
const unseenLogins = 3

const unseenAfter = 24 * time.Hour

// countClaims saves which mapped claims the logins carry. A claim that no login of the last day carried is probably
// misspelt, which is logged once.
func (b *batch) countClaims(ctx context.Context, jobs []*outbox.Job) error {
	seen, missing := map[string]bool{}, map[string]int64{}
	for _, j := range jobs {
		if j.State != (outbox.State{}) || j.Login.At.IsZero() || j.Imported {
			continue // counted before, or not a login
		}
		for _, r := range b.mapping.rules {
			switch {
			case r.Claim == "":
			case claim(j.Login, r.Claim) != nil:
				seen[r.Claim] = true
			default:
				missing[r.Claim]++
			}
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
	for _, u := range b.mapping.unseenClaims(uses, b.w.c.deps.Now()) {
		if u.Logins >= unseenLogins && b.w.c.faults.firstTime("claim "+u.Claim+" "+u.Property) {
			b.w.c.deps.Log.Warn("no login of the last day carried this claim; is its name misspelt?",
				"claim", u.Claim, "property", u.Property, "logins", u.Logins)
		}
	}
	return nil
}

// unseenClaims returns the mapped claims that no login of the last day carried, although there were logins.
func (m *mapping) unseenClaims(uses map[string]outbox.ClaimUse, now time.Time) []outbox.UnseenClaim {
	list := []outbox.UnseenClaim{}
	for _, r := range m.rules {
		use, found := uses[r.Claim]
		if r.Claim == "" || !found || use.Missing == 0 || now.Sub(use.LastSeen) <= unseenAfter {
			continue
		}
		unseen := outbox.UnseenClaim{Claim: r.Claim, Property: r.property, Logins: use.Missing}
		if !use.LastSeen.IsZero() {
			at := use.LastSeen.UTC()
			unseen.LastSeen = &at
		}
		list = append(list, unseen)
	}
	return list
}

// Status reads the state of the queue. Queued, Delayed, Held and InFlight are disjoint.
func (c *Contacts) Status(ctx context.Context) (outbox.Status, error) {
	s, err := c.outbox.Status(ctx)
	if err != nil {
		return s, err
	}
	m, now := c.live.Load().mapping, c.deps.Now()
	var known crm.Schema
	if k := c.known.Load(); k != nil {
		known = *k
	}
	shown := []outbox.RejectedProperty{}
	for _, p := range s.RejectedProperties {
		if !m.isOver(p, known, now) {
			shown = append(shown, p)
		}
	}
	s.RejectedProperties = shown
	uses, err := c.outbox.ClaimUses(ctx)
	s.UnseenClaims = m.unseenClaims(uses, now)
	return s, err
}
