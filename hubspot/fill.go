package hubspot

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
)

// fillWindow is the maximum age of a read that found a property empty when the property is written. Within it, a value
// that a person entered could be overwritten.
const fillWindow = 2 * time.Second

// fill removes properties with write: if_empty from the plans whose contacts already have a value.
func (w *worker) fill(ctx context.Context, plans []*plan) error {
	filling := slices.DeleteFunc(slices.Clone(plans), func(p *plan) bool { return len(p.ifEmpty) == 0 })
	if len(filling) == 0 {
		return nil
	}
	for _, p := range filling {
		maps.Copy(p.write, p.ifEmpty)
	}
	return w.dropNonEmpty(ctx, filling, "")
}

// dropNonEmpty reads the contacts, by the plans' addresses or the one with the given id, and drops if_empty properties
// that have a value.
func (w *worker) dropNonEmpty(ctx context.Context, plans []*plan, id string) error {
	emails, names := make([]string, len(plans)), map[string]bool{}
	for i, p := range plans {
		emails[i] = p.key
		for name := range p.ifEmpty {
			names[name] = true
		}
	}
	contacts, readAt, err := w.readForFill(ctx, emails, id, slices.Sorted(maps.Keys(names)))
	if err != nil && !readRefused(err) {
		return err
	}
	if err != nil && w.c.faults.firstTime("read") {
		w.c.deps.Log.Warn("cannot read contacts; properties with write: if_empty are written to new contacts only",
			"error", err)
	}
	for _, p := range plans {
		contact := contacts[p.key]
		for name := range p.ifEmpty {
			switch _, writing := p.write[name]; {
			case !writing:
			case err != nil: // the value is unknown: write it only if the contact turns out to be new
				p.onCreate[name] = p.write[name]
				delete(p.write, name)
			case contact.Property(name) != "":
				delete(p.write, name)
			}
		}
		p.emptyReadAt = readAt
	}
	return nil
}

// readForFill reads the contacts with the given addresses, or the one with the given id for the only address.
func (w *worker) readForFill(
	ctx context.Context, emails []string, id string, names []string,
) (contacts map[string]crm.Contact, at time.Time, err error) {
	if id == "" {
		return w.c.client.Read(ctx, emails, names)
	}
	contact, at, err := w.c.client.ReadByID(ctx, id, names)
	return map[string]crm.Contact{emails[0]: contact}, at, err
}

// fillsEmpty reports whether a plan writes a property that was found empty.
func (p *plan) fillsEmpty() bool {
	for name := range p.ifEmpty {
		if _, writing := p.write[name]; writing {
			return true
		}
	}
	return false
}

// maxStaleWrites is how often a write may miss its time because of the rate limit before its if_empty properties are
// left to new contacts.
const maxStaleWrites = 5

// writeWhileFresh makes a write within fillWindow after HubSpot was asked which properties are empty. If the write had
// to wait longer, it asks again. The write is for the contact with the given id, or for those with the plans'
// addresses.
func (w *worker) writeWhileFresh(
	ctx context.Context, plans []*plan, id string, write func(notAfter time.Time) error,
) error {
	filling := slices.DeleteFunc(slices.Clone(plans), func(p *plan) bool { return !p.fillsEmpty() })
	stale := id != "" // the address may have been that of another contact, or of none
	for attempt := 1; ; attempt++ {
		before := time.Time{}
		for _, p := range filling {
			if before.IsZero() || p.emptyReadAt.Add(fillWindow).Before(before) {
				before = p.emptyReadAt.Add(fillWindow)
			}
		}
		if len(filling) > 0 && (stale || time.Until(before) < fillWindow/4) {
			if err := w.dropNonEmpty(ctx, filling, id); err != nil {
				return err
			}
			before = filling[0].emptyReadAt.Add(fillWindow)
		}
		err := write(before)
		if !errors.Is(err, crm.ErrStale) {
			return err
		}
		if stale = true; attempt >= maxStaleWrites {
			for _, p := range filling {
				p.deferFills()
			}
			filling = nil
		}
	}
}

// deferFills moves if_empty properties to those that are written only if the contact turns out to be new.
func (p *plan) deferFills() {
	for name := range p.ifEmpty {
		if value, writing := p.write[name]; writing {
			p.onCreate[name] = value
			delete(p.write, name)
		}
	}
}
