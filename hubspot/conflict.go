package hubspot

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"time"
)

// reconcile deals with a conflict: HubSpot has another contact with the address (a further address of it, one that was merged, one made
// at the same moment), or with a value that must be unique. In the first case that contact is the person's and is written by its id; in
// the second the value is left out, and the plan goes again.
func (w *worker) resolveConflict(ctx context.Context, p *plan, e *apiError) (repeat bool, err error) {
	id, err := w.contactWithEmail(ctx, p, e)
	if err != nil {
		return false, err
	}
	if id == "" {
		if w.dropUniqueValues(ctx, p) {
			return true, nil
		}
		unsettled := *e
		unsettled.retryable = true // whoever holds the address may be indexed, or gone, a moment later
		p.outcome = &outcome{err: &unsettled}
		return false, nil
	}
	written, err := w.updateContact(ctx, p, id, nil)
	var refused *apiError
	switch {
	case err == nil:
		p.outcome = &outcome{contactID: written}
	case !errors.As(err, &refused) || !refused.aboutContacts() && refused.Status != http.StatusNotFound:
		return false, err
	case refused.Status == http.StatusConflict && w.dropUniqueValues(ctx, p):
		return true, nil
	default:
		final := *refused
		final.retryable = refused.Status != http.StatusBadRequest
		p.outcome = &outcome{err: &final}
	}
	return false, nil
}

// holder finds the contact that has a plan's address. HubSpot names one in its refusal, but that may be the one with the unique value:
// it counts only when there is no such value in the plan.
func (w *worker) contactWithEmail(ctx context.Context, p *plan, e *apiError) (id string, err error) {
	contacts, err := w.c.client.read(ctx, []string{p.key}, nil)
	if err != nil && !readRefused(err) {
		return "", err
	}
	o, found := contacts[p.key]
	switch unique := len(w.uniqueProperties(p)) > 0; {
	case found && unique && emailKey(o.property("email")) == p.key:
		return "", nil // the upsert would have found this one: the value is in the way
	case found:
		return string(o.ID), nil
	case unique:
		return "", nil
	}
	return e.Existing, nil
}

func (w *worker) uniqueProperties(p *plan) (names []string) {
	for name := range p.write {
		if w.schema.known[name].HasUniqueValue {
			names = append(names, name)
		}
	}
	return names
}

// dropUnique leaves out the values that must be unique; false when there are none.
func (w *worker) dropUniqueValues(ctx context.Context, p *plan) bool {
	names := w.uniqueProperties(p)
	for _, name := range names {
		delete(p.write, name)
		w.reportLeftOut(ctx, badProperty{name: name, reason: "another contact has this value"})
	}
	return len(names) > 0
}

// patch writes a contact by its id, with further values beside the plan's, and leaves out what HubSpot refuses. It returns the id that
// the contact has now: a merged one has another.
func (w *worker) updateContact(ctx context.Context, p *plan, id string, additional map[string]string) (string, error) {
	for {
		var written string
		err := w.writeWhileFresh(ctx, []*plan{p}, id, func(before time.Time) (err error) {
			properties := maps.Clone(p.write)
			maps.Copy(properties, additional)
			written, err = w.c.client.update(ctx, id, properties, before)
			return err
		})
		var refused *apiError
		if err == nil || !errors.As(err, &refused) || !refused.aboutContacts() || !w.dropRefused(ctx, p, refused) {
			return written, err
		}
	}
}
