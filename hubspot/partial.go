package hubspot

import (
	"context"
	"errors"
	"maps"
	"slices"
)

// upsertPropertyByProperty handles a rejection that names no property: it sends the contact without properties, then
// each property alone. A contact that is rejected without properties cannot be sent at all.
func (w *worker) upsertPropertyByProperty(ctx context.Context, p *plan, e *apiError) (again bool, err error) {
	all := p.write
	if len(all) == 0 {
		p.outcome = &outcome{err: e}
		return false, nil
	}
	p.write = map[string]string{}
	emailOnly, err := w.upsertOne(ctx, p)
	if err != nil || emailOnly.err != nil {
		p.write = all
		if err == nil {
			p.outcome = &outcome{err: e}
			if emailOnly.err.transient() {
				p.outcome.err = emailOnly.err
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
		case o.err != nil:
			w.reportLeftOut(ctx, badProperty{name: name, reason: o.err.Error()})
		default:
			kept[name] = all[name]
		}
	}
	p.write, p.outcome = kept, &emailOnly
	return false, nil
}

// upsertOne sends one contact and returns its outcome.
func (w *worker) upsertOne(ctx context.Context, p *plan) (outcome, error) {
	outcomes, err := w.upsert(ctx, []*plan{p})
	var refused *apiError
	switch {
	case errors.As(err, &refused) && refused.aboutContacts():
		return outcome{err: refused}, nil
	case err != nil:
		return outcome{}, err
	}
	o, known := outcomes[p.job.newest()]
	if !known {
		return outcome{}, errUnexpectedResponse
	}
	return o, nil
}
