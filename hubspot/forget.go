package hubspot

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/background"
)

// ErrForgotten means that the person was forgotten, so that nothing is sent.
var ErrForgotten = outbox.ErrForgotten

// Forgotten is the result of Forget.
type Forgotten struct {
	outbox.Removed
	Access   int  `json:"access"` // what HubSpot said about them
	Sessions int  `json:"sessions"`
	InFlight bool `json:"in_flight"` // a contact was still being sent: repeat it
}

// Sessions are the sessions of the people with an address.
type Sessions struct {
	People []outbox.Login                         // who has a session
	End    func(ctx context.Context) (int, error) // ends them
}

const (
	sendingWait = 4 * time.Second // how long Forget waits for a contact in flight; a request has 15 s
	sendingPoll = 100 * time.Millisecond
)

// Forget removes everything about the people with an address from Redis, and makes sure that their next login does not
// create the contact again. HubSpot is not touched. It can be repeated after a crash at any step, and must be repeated
// while InFlight.
//
// The mark comes first: from then on no replica adds or begins to send anything. The sessions end before the rest is
// looked up again, because a login that began before the mark may still have been added. They end before the answers of
// HubSpot are removed, because a request would ask again.
func (c *Contacts) Forget(ctx context.Context, email string, sessions Sessions) (f Forgotten, err error) {
	if !crm.ValidEmail(email) {
		return f, ErrEmail
	}
	if err := c.outbox.MarkForgotten(ctx, email); err != nil {
		return f, err
	}
	// Bindings of earlier versions can be found only while a session or an entry says who the person is.
	found, err := c.outbox.Find(ctx, email, sessions.People)
	if err != nil {
		return f, err
	}
	if f.Browsers, err = found.EraseBrowsers(ctx); err != nil {
		return f, err
	}
	if f.Sessions, err = sessions.End(ctx); err != nil {
		return f, err
	}
	if f.InFlight, err = c.waitSent(ctx, found); err != nil || f.InFlight {
		return f, err
	}
	if found, err = c.outbox.Find(ctx, email, sessions.People); err != nil {
		return f, err
	}
	before := f.Browsers
	f.Removed, err = found.Erase(ctx)
	f.Browsers += before
	if err == nil {
		f.Access, err = c.eraseAnswers(ctx, email)
	}
	return f, err
}

// eraseAnswers removes what HubSpot said about the people, also from the memory of replicas. If no rules ask HubSpot
// and nothing is recorded, Redis need not permit hubgate to notify the others: they have nothing to forget.
func (c *Contacts) eraseAnswers(ctx context.Context, email string) (int, error) {
	found, err := c.answers.Find(ctx, email)
	if err != nil {
		return 0, err
	}
	n, err := c.answers.Erase(ctx, email)
	if err != nil && len(found) == 0 && !c.live.Load().cfg.Access.On() && redis.HasErrorPrefix(err, "NOPERM") {
		err = nil
	}
	return n, err
}

// waitSent waits until no contact of the people is being sent, at most sendingWait.
func (c *Contacts) waitSent(ctx context.Context, found *outbox.Holdings) (sending bool, err error) {
	for end := c.deps.Now().Add(sendingWait); ; {
		if sending, err = found.Sending(ctx); err != nil || !sending || c.deps.Now().After(end) {
			return sending, err
		}
		if !background.Sleep(ctx, sendingPoll) {
			return true, ctx.Err()
		}
	}
}

// Allow takes Forget back: the next login of the address creates a contact again. It reports whether the address was
// forgotten.
func (c *Contacts) Allow(ctx context.Context, email string) (was bool, err error) {
	if !crm.ValidEmail(email) {
		return false, ErrEmail
	}
	return c.outbox.Allow(ctx, email)
}

// dropForgotten ends the jobs of forgotten people and returns the others. If that cannot be determined, it returns an
// error and everything stays in the queue.
func (b *batch) dropForgotten(ctx context.Context, jobs []*outbox.Job) (kept []*outbox.Job, err error) {
	emails := make([]string, len(jobs))
	for i, j := range jobs {
		emails[i] = j.Login.Email
	}
	forgotten, err := b.w.outbox.Forgotten(ctx, emails)
	if err != nil {
		return nil, err
	}
	for _, j := range jobs {
		if !forgotten[j.Login.Email] {
			kept = append(kept, j)
			continue
		}
		if err := b.w.outbox.DropForgotten(ctx, j); err != nil {
			return nil, err
		}
		b.settled[j] = true
		b.w.c.skipped(j.Login, mapping.SkipForgotten)
	}
	return kept, nil
}
