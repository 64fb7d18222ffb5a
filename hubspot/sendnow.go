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

// Send sends the waiting login of an e-mail address now, regardless of min_interval, and reports whether there is one.
// It returns ErrEmail if the address is not valid, ErrOff if contact sync is off, and ErrForgotten for a forgotten
// person.
func (c *Contacts) Send(ctx context.Context, email string) (waiting bool, err error) {
	if err := c.canSend(ctx, email); err != nil {
		return false, err
	}
	waiting, err = c.outbox.IsQueued(ctx, crm.EmailKey(email))
	if err != nil || !waiting {
		return false, err
	}
	return true, c.addForced(ctx, outbox.Entry{Login: outbox.Login{Email: crm.EmailKey(email)}, Waiting: true})
}

// SendLast sends the last login of people with an e-mail address again, and reports whether one is known. people are
// those who have a session: a last login is kept for no longer. Its errors are those of Send.
func (c *Contacts) SendLast(ctx context.Context, email string, people []outbox.Login) (known bool, err error) {
	if err := c.canSend(ctx, email); err != nil {
		return false, err
	}
	last, known, err := c.outbox.LastLogin(ctx, email, people)
	if err != nil || !known {
		return false, err
	}
	return true, c.addForced(ctx, outbox.Entry{Login: last})
}

// Create creates or updates the contact of an e-mail address with the constants of the mapping only. Its errors are
// those of Send.
func (c *Contacts) Create(ctx context.Context, email string) error {
	if err := c.canSend(ctx, email); err != nil {
		return err
	}
	return c.addForced(ctx, outbox.Entry{Login: outbox.Login{Email: crm.EmailKey(email)}})
}

// canSend returns why nothing can be sent to an address, or nil.
func (c *Contacts) canSend(ctx context.Context, email string) error {
	switch {
	case !crm.ValidEmail(email):
		return ErrEmail
	case !c.live.Load().on():
		return ErrOff
	}
	forgotten, err := c.outbox.Forgotten(ctx, []string{email})
	if err == nil && forgotten[email] {
		return ErrForgotten
	}
	return err
}

func (c *Contacts) addForced(ctx context.Context, e outbox.Entry) error {
	e.Forced = true
	ctx, cancel := context.WithTimeout(ctx, enqueueTimeout)
	defer cancel()
	if err := c.outbox.Add(ctx, e); err != nil {
		return fmt.Errorf("hubspot: queue a contact: %w", err)
	}
	return nil
}
