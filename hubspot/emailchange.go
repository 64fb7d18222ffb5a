package hubspot

import (
	"context"
	"errors"
	"net/http"
	"slices"
)

// moved handles people whose address is new to us, when a property that names them for ever is mapped: the contact that has its value
// gets the new address. The others, and those whose contact is gone, are returned: they go the ordinary way.
func (r *round) applyEmailChanges(ctx context.Context, m *mapping) ([]*plan, error) {
	names := r.w.schema.known.unique(m)
	if len(names) == 0 {
		return r.plans, nil
	}
	owners, err := r.contactsByUniqueValue(ctx, names[0])
	if err != nil {
		return nil, r.callFailed(ctx, r.plans, err)
	}
	var rest []*plan
	for _, p := range r.plans {
		id := r.contactUnderOldEmail(p, owners[p.value(names[0])])
		if id == "" {
			rest = append(rest, p)
			continue
		}
		byEmail, err := r.updateEmail(ctx, p, id)
		if err != nil {
			return nil, err
		}
		if byEmail {
			rest = append(rest, p)
		}
	}
	return rest, nil
}

// value is what a plan writes into a property, now or after the contact was made.
func (p *plan) value(name string) string {
	for _, values := range []map[string]string{p.write, p.onCreate, p.ifEmpty} {
		if v := values[name]; v != "" {
			return v
		}
	}
	return ""
}

func (r *round) emailUnchanged(p *plan) bool { return p.person.email == r.w.outbox.fingerprint(p.key) }

// owners finds the contacts of people whom the outbox does not know yet, in one call.
func (r *round) contactsByUniqueValue(ctx context.Context, property string) (map[string]wireObject, error) {
	var values []string
	for _, p := range r.plans {
		if v := p.value(property); v != "" && p.person.contactID == "" && !r.emailUnchanged(p) && !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return nil, nil
	}
	found, err := r.w.c.client.find(ctx, property, values)
	if err != nil && readRefused(err) {
		return nil, nil
	}
	return found, err
}

// strayed returns the id of a person's contact when it stands under another address, or "".
func (r *round) contactUnderOldEmail(p *plan, owner wireObject) string {
	switch {
	case r.emailUnchanged(p) || owner.hasEmail(p.key):
		return ""
	case p.person.contactID != "" && p.person.email != "":
		return p.person.contactID
	}
	return string(owner.ID)
}

// readdress writes a contact by its id, its address included. ordinary tells that this is not possible (the contact is gone, or the
// address is another one's), and that the plan has to go by its address.
func (r *round) updateEmail(ctx context.Context, p *plan, id string) (byEmail bool, err error) {
	written, err := r.w.updateContact(ctx, p, id, map[string]string{"email": p.key})
	var refused *apiError
	switch {
	case err == nil:
		p.outcome = &outcome{contactID: written}
		_, err = r.handleOutcomes(ctx, []*plan{p})
		return false, err
	case errors.As(err, &refused) && (refused.aboutContacts() || refused.Status == http.StatusNotFound):
		return true, nil
	}
	return false, r.callFailed(ctx, []*plan{p}, err)
}
