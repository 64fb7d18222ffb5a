package hubspot

import (
	"context"
	"time"
)

// Status is the queue as operators see it.
type Status struct {
	Queued             int64              `json:"queued"`
	Delayed            int64              `json:"delayed"`
	InFlight           int64              `json:"in_flight"`
	OldestSeconds      float64            `json:"oldest_seconds"`
	Dead               int64              `json:"dead"`
	PausedUntil        *time.Time         `json:"paused_until"` // nil when nothing is paused
	RejectedProperties []RejectedProperty `json:"rejected_properties"`
}

// RejectedProperty is a property that HubSpot refused and that was left out.
type RejectedProperty struct {
	Property string    `json:"property"`
	Reason   string    `json:"reason"`
	Count    int64     `json:"count"`
	LastAt   time.Time `json:"last_at"`
}

// DeadPage is one page of the dead letters, the oldest first. Next is the cursor of the following page, "" at the end.
type DeadPage struct {
	Dead []DeadLetter `json:"dead"`
	Next string       `json:"next"`
}

// DeadLetter is a contact that HubSpot will not take.
type DeadLetter struct {
	ID         string            `json:"id"`
	Email      string            `json:"email"`
	Reason     string            `json:"reason"`
	Properties map[string]string `json:"properties"`
	Attempts   int               `json:"attempts"`
	FirstAt    time.Time         `json:"first_at"`
	LastAt     time.Time         `json:"last_at"`
}

// SyncResult is how a person's contact was last sent.
type SyncResult struct {
	At        time.Time `json:"at"` // zero when it never was
	Result    string    `json:"result"`
	Error     string    `json:"error,omitempty"`
	ContactID string    `json:"contact_id,omitempty"`
	Queued    bool      `json:"queued"` // something of this person still waits
}

// PreviewItem is what would be written into one property.
type PreviewItem struct {
	Property string `json:"property"`
	Value    string `json:"value"`
	Source   string `json:"source"`            // claim NAME, value NAME or constant
	Write    string `json:"write"`             // always | if_empty | create_only
	Dropped  string `json:"dropped,omitempty"` // why nothing would be written
}

// Status reads the state of the queue.
func (c *Contacts) Status(ctx context.Context) (Status, error) { return Status{}, ctx.Err() }

// Dead lists dead letters.
func (c *Contacts) Dead(ctx context.Context, cursor string, limit int) (DeadPage, error) {
	return DeadPage{}, ctx.Err()
}

// Replay queues dead letters again.
func (c *Contacts) Replay(ctx context.Context, ids []string, all bool) (int, error) {
	return 0, ctx.Err()
}

// Send queues the contact of an e-mail address.
func (c *Contacts) Send(ctx context.Context, email string) error { return ctx.Err() }

// LastSync tells how a person's contact was last sent.
func (c *Contacts) LastSync(ctx context.Context, issuer, subject string) (SyncResult, error) {
	return SyncResult{}, ctx.Err()
}

// Preview tells what would be written for a login.
func (c *Contacts) Preview(l Login) []PreviewItem { return nil }

// Run works until ctx ends.
func (c *Contacts) Run(ctx context.Context) error { <-ctx.Done(); return nil }
