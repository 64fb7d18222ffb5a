package hubspot

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/mapping"
)

// read reads the contacts of plans whose values depend on what the contact has. Without permission to read, these
// values are left out.
func (b *batch) read(ctx context.Context, plans []*plan) error {
	var asked []*plan
	var emails, names []string
	for _, p := range plans {
		if p.movedFrom == "" && p.needsRead() {
			asked, emails, names = append(asked, p), append(emails, p.key), append(names, p.unread()...)
		}
	}
	if len(asked) == 0 {
		return nil
	}
	slices.Sort(names)
	contacts, err := b.w.c.client.Read(ctx, emails, slices.Compact(names))
	if err != nil && !unreadable(err, len(asked)) {
		return err
	}
	for _, p := range asked {
		if p.contact, p.read = contacts[p.key], true; err != nil {
			p.leaveOutUnread(err)
		}
	}
	return nil
}

// unreadable reports whether contacts cannot be looked up, although they can be written: the token lacks the scope, or
// HubSpot rejects the look-up of one contact. The rejection of a look-up of several says nothing about each of them.
func unreadable(err error, contacts int) bool {
	var e *crm.APIError
	return errors.As(err, &e) &&
		(e.LacksScopes() || contacts == 1 && (e.AboutContacts() || e.Status == http.StatusNotFound))
}

// leaveOutUnread leaves out the values that depend on what the contact has.
func (p *plan) leaveOutUnread(err error) {
	d := crm.Drop{Reason: crm.NoRead}
	var e *crm.APIError
	if errors.As(err, &e) && !e.LacksScopes() {
		d.Detail = fmt.Sprintf("HubSpot rejects the look-up of the contact (%d), so the property may have a value", e.Status)
	}
	for _, name := range p.unread() {
		p.wants = slices.DeleteFunc(p.wants, func(w want) bool { return w.property == name })
		d.Property = name
		p.drops = append(p.drops, d)
	}
}

// upsert writes contacts by their addresses, and settles those whose outcome HubSpot reports.
func (b *batch) upsert(ctx context.Context, plans []*plan) (failure, err error) {
	inputs := make([]crm.Input, len(plans))
	for i, p := range plans {
		inputs[i] = crm.Input{Email: p.key, TraceID: p.job.Newest(), Properties: p.properties(), Planned: p.planned()}
	}
	outcomes, failure := b.w.c.client.Upsert(ctx, inputs)
	accepted := false
	for _, o := range outcomes {
		accepted = accepted || o.Err == nil
	}
	for _, p := range plans {
		o, known := outcomes[p.job.Newest()]
		switch {
		case !known:
			continue
		case o.Err != nil:
			p.job.State.Blamed = p.job.State.Blamed || accepted
			err = b.rejected(ctx, p, o.Err)
		default:
			err = b.written(ctx, p, o)
		}
		if err != nil {
			return nil, err
		}
	}
	return failure, nil
}

// written settles a contact that HubSpot accepted. If it was known, but is new to HubSpot, it had been deleted: then it
// is sent once more, with the values for new contacts.
func (b *batch) written(ctx context.Context, p *plan, o crm.Outcome) error {
	onCreate := func(w want) bool { return w.write == mapping.WriteCreateOnly }
	if p.known && p.isNew(o) && slices.ContainsFunc(p.wants, onCreate) {
		p.known, p.read, p.recreated = false, true, true
		return nil
	}
	return b.complete(ctx, p, o)
}

// clockSkew is how much the clocks of HubSpot and Redis may differ.
const clockSkew = time.Minute

// isNew reports whether HubSpot created the contact of a known person for this job: in this call, or in one whose
// response was lost, because the replica was killed then.
func (p *plan) isNew(o crm.Outcome) bool {
	return o.Created || o.ContactID != p.person.ContactID && o.CreatedAt.After(p.job.Since.Add(-clockSkew))
}

// rejected handles HubSpot's error about one contact. It is sent again without the properties that HubSpot names, or
// later, or moved to the dead letters.
func (b *batch) rejected(ctx context.Context, p *plan, e *crm.APIError) error {
	switch {
	case e.Transient():
		return b.retryLater(ctx, p, e, true)
	case b.leaveOut([]*plan{p}, e.BadProperties):
		return nil
	case e.Status == http.StatusConflict:
		return b.resolveConflict(ctx, p, e)
	}
	return b.moveToDeadLetters(ctx, p, e)
}

// leaveOut leaves out properties that HubSpot rejected, and reports whether any plan changed. A property that HubSpot
// rejects for all contacts is not sent for a while.
func (b *batch) leaveOut(plans []*plan, drops []crm.Drop) (changed bool) {
	for _, p := range plans {
		changed = p.leaveOut(drops) || changed
	}
	for _, d := range drops {
		if changed && d.Reason != crm.Rejected {
			b.w.refused[d.Property] = refusedProperty{d, b.w.c.deps.Now().Add(10 * time.Minute)}
			b.w.schema.readAt = time.Time{} // read the changed definitions again
		}
	}
	return changed
}
