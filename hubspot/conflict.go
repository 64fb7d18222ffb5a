package hubspot

import (
	"context"
	"errors"
	"maps"
	"net/http"

	"github.com/hubgate/hubgate/hubspot/crm"
)

// resolveConflict handles a 409. Either another contact has the address (as a secondary one, after a merge, or created
// at the same moment): that contact is the person's and is updated by its id. Or another contact has a value that must
// be unique: the value is left out and the plan is sent again.
func (b *batch) resolveConflict(ctx context.Context, p *plan, e *crm.APIError) error {
	id, failure := b.contactWithEmail(ctx, p, e)
	switch {
	case failure != nil:
		return b.conflictCallFailed(ctx, p, failure)
	case id == "" && b.leaveOut([]*plan{p}, b.uniqueValues(p)):
		return nil
	case id == "": // the other contact may be indexed, or deleted, a moment later
		return b.retryLater(ctx, p, e, true)
	}
	p.contact.ID = id
	written, failure := b.update(ctx, p, id, nil)
	var refused *crm.APIError
	switch {
	case failure == nil:
		return b.complete(ctx, p, crm.Outcome{ContactID: written})
	case !errors.As(failure, &refused):
	case refused.Status == http.StatusConflict && b.leaveOut([]*plan{p}, b.uniqueValues(p)):
		return nil
	case refused.Status == http.StatusBadRequest:
		return b.moveToDeadLetters(ctx, p, refused)
	}
	return b.conflictCallFailed(ctx, p, failure)
}

// conflictCallFailed handles the failure of a call that resolveConflict made. If HubSpot rejects the contact, it is
// tried again later.
func (b *batch) conflictCallFailed(ctx context.Context, p *plan, failure error) error {
	var e *crm.APIError
	if errors.As(failure, &e) && (e.AboutContacts() || e.Status == http.StatusNotFound) {
		return b.retryLater(ctx, p, e, true)
	}
	return b.callFailed(ctx, []*plan{p}, failure)
}

// contactWithEmail returns the id of the contact with a plan's address. The id in HubSpot's error may be that of the
// contact with the unique value, so it counts only if the plan has no such value.
func (b *batch) contactWithEmail(ctx context.Context, p *plan, e *crm.APIError) (id string, err error) {
	contacts, err := b.w.c.client.Read(ctx, []string{p.key}, p.unread())
	if err != nil && !unreadable(err, 1) {
		return "", err
	}
	o, found := contacts[p.key]
	switch unique := len(b.uniqueValues(p)) > 0; {
	case found && unique && o.Email() == p.key:
		return "", nil // the upsert would have found it, so the unique value is the conflict
	case found:
		p.contact, p.read = o, true
		return o.ID, nil
	case unique:
		return "", nil
	}
	return e.Existing, nil
}

// uniqueValues returns drops of the values that must be unique.
func (b *batch) uniqueValues(p *plan) (drops []crm.Drop) {
	for name := range p.properties() {
		if b.w.schema.known[name].HasUniqueValue {
			drops = append(drops, crm.Drop{Property: name, Reason: crm.NotUnique})
		}
	}
	return drops
}

// update updates a contact by its id with the plan's values and additional ones, and leaves out what HubSpot rejects.
// It returns the contact's current id, which differs after a merge.
func (b *batch) update(ctx context.Context, p *plan, id string, additional map[string]string) (string, error) {
	for {
		properties := p.properties()
		maps.Copy(properties, additional)
		written, err := b.w.c.client.Update(ctx, id, properties, p.planned()...)
		var refused *crm.APIError
		if err == nil || !errors.As(err, &refused) || !refused.AboutContacts() ||
			!b.leaveOut([]*plan{p}, refused.BadProperties) {
			return written, err
		}
	}
}
