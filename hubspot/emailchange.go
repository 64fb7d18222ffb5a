package hubspot

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/hubgate/hubgate/hubspot/crm"
)

// findMoved finds the contacts of people who have a new address, if a unique property is mapped. People without a
// record in Redis are looked up by its value, in one call. Those who cannot be looked up are not found.
func (b *batch) findMoved(ctx context.Context, plans []*plan) error {
	unique := b.mapping.Unique(b.w.schema.known)
	if len(unique) == 0 {
		return nil
	}
	var values []string
	for _, p := range plans {
		v := p.value(unique[0])
		if v != "" && !p.searched && p.person.ContactID == "" && !p.emailUnchanged(b.w) && !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	var owners map[string]crm.Contact
	if len(values) > 0 {
		var err error
		if owners, err = b.w.c.client.Find(ctx, unique[0], values); err != nil && !unreadable(err, len(values)) {
			return err
		}
	}
	for _, p := range plans {
		if !p.searched {
			p.movedFrom, p.searched = b.contactUnderOldEmail(p, owners[p.value(unique[0])]), true
		}
	}
	return nil
}

// contactUnderOldEmail returns the id of a person's contact if it has another address, or "".
func (b *batch) contactUnderOldEmail(p *plan, owner crm.Contact) string {
	switch {
	case p.emailUnchanged(b.w) || owner.HasEmail(p.key):
		return ""
	case p.person.ContactID != "" && p.person.Email != "":
		return p.person.ContactID
	}
	return owner.ID
}

// moveContacts updates contacts whose address changed. It returns the plans to be upserted by address.
func (b *batch) moveContacts(ctx context.Context, plans []*plan) (byEmail []*plan, err error) {
	for _, p := range plans {
		if p.movedFrom == "" {
			byEmail = append(byEmail, p)
			continue
		}
		if err := b.moveContact(ctx, p); err != nil || b.stopped {
			return nil, err
		}
	}
	return byEmail, nil
}

// moveContact updates a contact by its id, including its address. If this is not possible, because the contact is gone
// or another contact has the address, the plan is left to be upserted by address.
func (b *batch) moveContact(ctx context.Context, p *plan) error {
	written, failure := b.updateEmail(ctx, p)
	var e *crm.APIError
	switch {
	case failure == nil:
		return b.complete(ctx, p, crm.Outcome{ContactID: written})
	case errors.As(failure, &e) && (e.AboutContacts() || e.Status == http.StatusNotFound):
		p.movedFrom, p.contact, p.read = "", crm.Contact{}, false
		return nil
	}
	return b.callFailed(ctx, []*plan{p}, failure)
}

func (b *batch) updateEmail(ctx context.Context, p *plan) (written string, err error) {
	if p.needsRead() {
		contact, err := b.w.c.client.ReadByID(ctx, p.movedFrom, p.unread())
		if err != nil && !unreadable(err, 1) {
			return "", err
		}
		if p.contact, p.read = contact, true; err != nil {
			p.leaveOutUnread(err)
		}
	}
	p.contact.ID = p.movedFrom // it exists
	return b.update(ctx, p, p.movedFrom, map[string]string{"email": p.key})
}
