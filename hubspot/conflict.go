package hubspot

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
)

// resolveConflict handles a 409. Either another contact has the address (as a secondary one, after a merge, or created
// at the same moment): that contact is the person's and is updated by its id. Or another contact has a value that must
// be unique: the value is left out and the plan is sent again.
func (w *worker) resolveConflict(ctx context.Context, p *plan, e *crm.APIError) (repeat bool, err error) {
	id, err := w.contactWithEmail(ctx, p, e)
	if err != nil {
		return false, err
	}
	if id == "" {
		if w.dropUniqueValues(ctx, p) {
			return true, nil
		}
		// The other contact may be indexed, or deleted, a moment later.
		p.outcome = &crm.Outcome{Err: e.Retryable()}
		return false, nil
	}
	written, err := w.updateContact(ctx, p, id, nil)
	var refused *crm.APIError
	switch {
	case err == nil:
		p.outcome = &crm.Outcome{ContactID: written}
	case !errors.As(err, &refused) || !refused.AboutContacts() && refused.Status != http.StatusNotFound:
		return false, err
	case refused.Status == http.StatusConflict && w.dropUniqueValues(ctx, p):
		return true, nil
	case refused.Status == http.StatusBadRequest:
		p.outcome = &crm.Outcome{Err: refused}
	default:
		p.outcome = &crm.Outcome{Err: refused.Retryable()}
	}
	return false, nil
}

// contactWithEmail returns the id of the contact with a plan's address. The id in HubSpot's error may be that of the
// contact with the unique value, so it counts only if the plan has no such value.
func (w *worker) contactWithEmail(ctx context.Context, p *plan, e *crm.APIError) (id string, err error) {
	contacts, _, err := w.c.client.Read(ctx, []string{p.key}, nil)
	if err != nil && !readRefused(err) {
		return "", err
	}
	o, found := contacts[p.key]
	switch unique := len(w.uniqueProperties(p)) > 0; {
	case found && unique && o.Email() == p.key:
		return "", nil // the upsert would have found it, so the unique value is the conflict
	case found:
		return o.ID, nil
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

// dropUniqueValues leaves out the values that must be unique. It reports whether there were any.
func (w *worker) dropUniqueValues(ctx context.Context, p *plan) bool {
	names := w.uniqueProperties(p)
	for _, name := range names {
		delete(p.write, name)
		w.reportLeftOut(ctx, crm.Drop{Property: name, Reason: crm.NotUnique})
	}
	return len(names) > 0
}

// updateContact updates a contact by its id with the plan's values and additional ones, and leaves out what HubSpot
// rejects. It returns the contact's current id, which differs after a merge.
func (w *worker) updateContact(ctx context.Context, p *plan, id string, additional map[string]string) (string, error) {
	for {
		var written string
		err := w.writeWhileFresh(ctx, []*plan{p}, id, func(before time.Time) (err error) {
			properties := maps.Clone(p.write)
			maps.Copy(properties, additional)
			written, err = w.c.client.Update(ctx, id, properties, before)
			return err
		})
		var refused *crm.APIError
		if err == nil || !errors.As(err, &refused) || !refused.AboutContacts() || !w.dropRefused(ctx, p, refused.BadProperties) {
			return written, err
		}
	}
}
