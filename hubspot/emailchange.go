package hubspot

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/hubgate/hubgate/hubspot/crm"
)

// applyEmailChanges handles people who have a new address, if a unique property is mapped: the contact with its value
// gets the new address. It returns the other plans, and those whose contact is gone, to be upserted by address.
func (b *batch) applyEmailChanges(ctx context.Context) ([]*plan, error) {
	names := b.mapping.unique(b.w.schema.known)
	if len(names) == 0 {
		return b.writing, nil
	}
	owners, err := b.contactsByUniqueValue(ctx, names[0])
	if err != nil {
		return nil, b.callFailed(ctx, b.writing, err)
	}
	var rest []*plan
	for _, p := range b.writing {
		id := b.contactUnderOldEmail(p, owners[p.value(names[0])])
		if id == "" {
			rest = append(rest, p)
			continue
		}
		byEmail, err := b.updateEmail(ctx, p, id)
		if err != nil {
			return nil, err
		}
		if byEmail {
			rest = append(rest, p)
		}
	}
	return rest, nil
}

// value returns what a plan writes into a property, now or after the contact was created.
func (p *plan) value(name string) string {
	for _, values := range []map[string]string{p.write, p.onCreate, p.ifEmpty} {
		if v := values[name]; v != "" {
			return v
		}
	}
	return ""
}

func (b *batch) emailUnchanged(p *plan) bool { return p.person.Email == b.w.outbox.Fingerprint(p.key) }

// contactsByUniqueValue looks up the contacts of people without a record in Redis, in one call.
func (b *batch) contactsByUniqueValue(ctx context.Context, property string) (map[string]crm.Contact, error) {
	var values []string
	for _, p := range b.writing {
		v, known := p.value(property), p.person.ContactID != "" || b.emailUnchanged(p)
		if v != "" && !known && !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return nil, nil
	}
	found, err := b.w.c.client.Find(ctx, property, values)
	if err != nil && readRefused(err) {
		return nil, nil
	}
	return found, err
}

// contactUnderOldEmail returns the id of a person's contact if it has another address, or "".
func (b *batch) contactUnderOldEmail(p *plan, owner crm.Contact) string {
	switch {
	case b.emailUnchanged(p) || owner.HasEmail(p.key):
		return ""
	case p.person.ContactID != "" && p.person.Email != "":
		return p.person.ContactID
	}
	return owner.ID
}

// updateEmail updates a contact by its id, including its address. byEmail reports whether this is not possible, because
// the contact is gone or another contact has the address, so that the plan must be upserted by address.
func (b *batch) updateEmail(ctx context.Context, p *plan, id string) (byEmail bool, err error) {
	written, err := b.w.updateContact(ctx, p, id, map[string]string{"email": p.key})
	var refused *crm.APIError
	switch {
	case err == nil:
		p.outcome = &crm.Outcome{ContactID: written}
		_, err = b.settle(ctx, []*plan{p})
		return false, err
	case errors.As(err, &refused) && (refused.AboutContacts() || refused.Status == http.StatusNotFound):
		return true, nil
	}
	return false, b.callFailed(ctx, []*plan{p}, err)
}
