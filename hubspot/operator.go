package hubspot

import (
	"context"
	"errors"
	"fmt"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/outbox"
)

// ErrEmail means that the argument is not a valid e-mail address.
var ErrEmail = errors.New("hubspot: not an e-mail address")

// ErrOff means that contact sync is off, so nothing in the queue would be sent.
var ErrOff = errors.New("hubspot: contact sync is off")

// Send queues the contact of an e-mail address, regardless of min_interval. If a login of this person is pending, it is
// sent now and known is true. If not, the contact is created or updated with the constants of the mapping: nothing else
// about a person is stored between logins. It returns ErrEmail if the address is not valid and ErrOff if contact sync
// is off.
func (c *Contacts) Send(ctx context.Context, email string) (known bool, err error) {
	if !crm.ValidEmail(email) {
		return false, ErrEmail
	}
	if !c.live.Load().on() {
		return false, ErrOff
	}
	ctx, cancel := context.WithTimeout(ctx, enqueueTimeout)
	defer cancel()
	if known, err = c.outbox.IsQueued(ctx, crm.EmailKey(email)); err != nil {
		return false, err
	}
	if err := c.outbox.Add(ctx, outbox.Entry{Login: outbox.Login{Email: crm.EmailKey(email)}, Forced: true}); err != nil {
		return false, fmt.Errorf("hubspot: queue a contact: %w", err)
	}
	return known, nil
}

// PreviewItem is what would be written into one property.
type PreviewItem struct {
	Property string `json:"property"`
	Value    string `json:"value"`
	Source   string `json:"source"`            // claim NAME, value NAME or constant
	Write    string `json:"write"`             // always | if_empty | create_only
	Dropped  string `json:"dropped,omitempty"` // why nothing would be written
}

// Preview returns what would be written for a login, by property, and why some properties would not be written.
func (c *Contacts) Preview(l outbox.Login) []PreviewItem {
	var known crm.Schema
	if s := c.known.Load(); s != nil {
		known = *s
	}
	m := c.live.Load().mapping
	items := m.values(l, 0, known)
	if reason := m.skip(l); reason != "" {
		for i := range items {
			items[i].Dropped = reason
		}
	}
	return items
}

// Status reads the state of the queue. Queued, Delayed, Held and InFlight are disjoint.
func (c *Contacts) Status(ctx context.Context) (outbox.Status, error) { return c.outbox.Status(ctx) }

// Waiting returns at most limit queue entries (1 to 1000) after cursor ("" = from the oldest).
func (c *Contacts) Waiting(ctx context.Context, cursor string, limit int) (outbox.QueuePage, error) {
	return c.outbox.Waiting(ctx, cursor, limit)
}

// Dead returns at most limit dead letters (1 to 1000) after cursor ("" = from the oldest).
func (c *Contacts) Dead(ctx context.Context, cursor string, limit int) (outbox.DeadPage, error) {
	return c.outbox.Dead(ctx, cursor, limit)
}

// Replay queues dead letters again, all of them or those with the given ids, and returns how many. Unknown ids are
// skipped.
func (c *Contacts) Replay(ctx context.Context, ids []string, all bool) (int, error) {
	return c.outbox.Replay(ctx, ids, all)
}

// Drop removes dead letters for good, all of them or those with the given ids, and returns how many. Unknown ids are
// skipped.
func (c *Contacts) Drop(ctx context.Context, ids []string, all bool) (int, error) {
	return c.outbox.Drop(ctx, ids, all)
}

// LastSync returns how a person's contact was last sent.
func (c *Contacts) LastSync(ctx context.Context, issuer, subject string) (outbox.SyncResult, error) {
	return c.outbox.LastSync(ctx, issuer, subject)
}
