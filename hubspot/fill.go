package hubspot

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

// fillWindow is how old the answer may be by which a property counts as empty when it is written: in that time a person's own entry could
// be overwritten.
const fillWindow = 2 * time.Second

// fill decides about the properties that are written only where HubSpot has nothing, by the contacts that have the plans' addresses.
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

// leaveFilled asks HubSpot and takes what has a value there out of the plans: those of the contacts with the plans' addresses, or of the
// one contact with an id.
func (w *worker) dropNonEmpty(ctx context.Context, plans []*plan, id string) error {
	idProperty, ids, names := "email", make([]string, len(plans)), map[string]bool{}
	for i, p := range plans {
		ids[i] = p.key
		for name := range p.ifEmpty {
			names[name] = true
		}
	}
	if id != "" {
		idProperty, ids = "", []string{id}
	}
	list, readAt, err := w.c.client.readBy(ctx, idProperty, ids, slices.Sorted(maps.Keys(names)))
	if err != nil && !readRefused(err) {
		return err
	}
	if err != nil && w.c.faults.firstTime("read") {
		w.c.deps.Log.Warn("HubSpot does not let contacts be read; properties with write: if_empty go to new contacts only", "error", err)
	}
	contacts := byEmail(list)
	for _, p := range plans {
		o := contacts[p.key]
		if id != "" && len(list) > 0 {
			o = list[0]
		}
		for name := range p.ifEmpty {
			switch _, writing := p.write[name]; {
			case !writing:
			case err != nil: // unknown is not empty: only a contact that turns out to be new gets it
				p.onCreate[name] = p.write[name]
				delete(p.write, name)
			case o.property(name) != "":
				delete(p.write, name)
			}
		}
		p.emptyReadAt = readAt
	}
	return nil
}

// filling tells that a plan writes a property only because HubSpot had nothing in it.
func (p *plan) fillsEmpty() bool {
	for name := range p.ifEmpty {
		if _, writing := p.write[name]; writing {
			return true
		}
	}
	return false
}

// maxStale is how often a write may miss its time, on a budget that is all but used up, before its fillings are left to new contacts.
const maxStaleWrites = 5

// timely makes a write, of the contact with an id or of those with the plans' addresses, no later than fillWindow after HubSpot was asked
// what is empty. A write that had to wait for longer asks again.
func (w *worker) writeWhileFresh(ctx context.Context, plans []*plan, id string, write func(before time.Time) error) error {
	filling := slices.DeleteFunc(slices.Clone(plans), func(p *plan) bool { return !p.fillsEmpty() })
	stale := id != "" // the address may have been another contact's, or nobody's
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
		if !errors.Is(err, errStale) {
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

// postpone leaves to a contact that turns out to be new what would be filled in.
func (p *plan) deferFills() {
	for name := range p.ifEmpty {
		if value, writing := p.write[name]; writing {
			p.onCreate[name] = value
			delete(p.write, name)
		}
	}
}
