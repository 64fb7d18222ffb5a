package hubspot

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/hubgate/hubgate/hubspot/crm"
)

// upsertPropertyByProperty handles a rejection that names no property: it sends the contact without properties, then
// each property alone. A contact that is rejected without properties cannot be sent at all.
func (w *worker) upsertPropertyByProperty(ctx context.Context, p *plan, e *crm.APIError) (again bool, err error) {
	all := p.write
	if len(all) == 0 {
		p.outcome = &crm.Outcome{Err: e}
		return false, nil
	}
	p.write = map[string]string{}
	emailOnly, err := w.upsertOne(ctx, p)
	if err != nil || emailOnly.Err != nil {
		p.write = all
		if err == nil {
			p.outcome = &crm.Outcome{Err: e}
			if emailOnly.Err.Transient() {
				p.outcome.Err = emailOnly.Err
			}
		}
		return false, err
	}
	kept := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		p.write = map[string]string{name: all[name]}
		o, err := w.upsertOne(ctx, p)
		switch {
		case err != nil:
			p.write = all
			return false, err
		case o.Err != nil:
			w.reportLeftOut(ctx, crm.Drop{Property: name, Reason: crm.Rejected})
		default:
			kept[name] = all[name]
		}
	}
	p.write, p.outcome = kept, &emailOnly
	return false, nil
}

// errNotMentioned means that an upsert may or may not have written a contact.
var errNotMentioned = errors.New("HubSpot's response does not mention this contact")

// upsertOne sends one contact and returns its outcome.
func (w *worker) upsertOne(ctx context.Context, p *plan) (crm.Outcome, error) {
	outcomes, err := w.upsert(ctx, []*plan{p})
	var refused *crm.APIError
	switch {
	case errors.As(err, &refused) && refused.AboutContacts():
		return crm.Outcome{Err: refused}, nil
	case err != nil:
		return crm.Outcome{}, err
	}
	o, known := outcomes[p.job.Newest()]
	if !known {
		return crm.Outcome{}, errNotMentioned
	}
	return o, nil
}
