package hubspot

import (
	"context"

	"github.com/hubgate/hubgate/hubspot/access"
	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/hubspot/outbox"
)

// Preview returns what would be written for a login, by property, and why some properties would not be written.
func (c *Contacts) Preview(l outbox.Login) []mapping.Item {
	var known crm.Schema
	if s := c.known.Load(); s != nil {
		known = *s
	}
	m := c.live.Load().mapping
	items := m.Values(l, 0, known)
	if reason := m.Skip(l); reason != "" {
		for i := range items {
			items[i].Dropped, items[i].Why = mapping.SkipText(reason), reason
		}
	}
	return items
}

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

// Person is what hubgate holds about the people with an address, except their sessions.
type Person struct {
	Forgotten bool `json:"forgotten"`
	outbox.PersonData
	Access []access.Known `json:"access"` // what HubSpot said for rules that ask for it
}

// Show returns what hubgate holds about the people with an address. people are those that have a session.
func (c *Contacts) Show(ctx context.Context, email string, people []outbox.Login) (Person, error) {
	if !crm.ValidEmail(email) {
		return Person{}, ErrEmail
	}
	forgotten, err := c.outbox.Forgotten(ctx, []string{email})
	if err != nil {
		return Person{}, err
	}
	found, err := c.outbox.Find(ctx, email, people)
	if err != nil {
		return Person{}, err
	}
	data, err := found.Show(ctx)
	if err != nil {
		return Person{}, err
	}
	answers, err := c.answers.Find(ctx, email)
	return Person{Forgotten: forgotten[email], PersonData: data, Access: append([]access.Known{}, answers...)}, err
}

// LastSync returns how a person's contact was last sent.
func (c *Contacts) LastSync(ctx context.Context, issuer, subject string) (outbox.SyncResult, error) {
	return c.outbox.LastSync(ctx, issuer, subject)
}
