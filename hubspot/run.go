package hubspot

import (
	"context"
	crand "crypto/rand"
	"errors"
	"math/rand/v2"
	"time"
)

const (
	leaseRetry    = 2 * time.Second
	shutdownGrace = 1500 * time.Millisecond // how long a call may still run during shutdown
)

// Run sends the queue until ctx ends. One replica at a time works; the others try to acquire the lease every two
// seconds. During shutdown a call in flight gets shutdownGrace to finish, then the lease is released. Run retries until
// Redis is back.
func (c *Contacts) Run(ctx context.Context) error {
	replica := crand.Text()
	for ctx.Err() == nil {
		token, err := c.outbox.acquireLease(ctx, replica)
		switch {
		case err == nil && token != "":
			err = c.work(ctx, token)
		case err == nil: // another replica does
			c.faults.queueWorks(c.deps.Log)
		}
		if err != nil && ctx.Err() == nil {
			c.faults.queueFails(c.deps.Log, err)
			if isWrongType(err) {
				_ = c.outbox.deleteMistypedKeys(ctx) // a failure is retried with the queue
			}
		}
		c.gauges(ctx)
		pause := leaseRetry/2 + time.Duration(rand.Int64N(int64(leaseRetry)))
		if !sleep(ctx, pause) {
			return nil
		}
	}
	return nil
}

// work works on the queue until ctx ends, the lease is lost, or Redis fails.
func (c *Contacts) work(ctx context.Context, token string) error {
	leased := leasedOutbox{outbox: c.outbox, token: token}
	c.limiter.lease.Store(&token)
	held, lose := context.WithCancelCause(context.WithoutCancel(ctx))
	defer lose(nil)
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(shutdownGrace, func() { lose(context.Canceled) })
	})
	defer stop()
	go c.keepLease(held, leased, lose)
	defer c.releaseLease(held, leased)
	w := &worker{c: c, outbox: leased, pending: newPendingQueue(), last: "0", refused: map[string]time.Time{}}
	if err := w.load(held); err != nil {
		return err
	}
	for ctx.Err() == nil && held.Err() == nil {
		if err := w.step(ctx, held); err != nil {
			return err
		}
		c.faults.queueWorks(c.deps.Log)
	}
	if cause := context.Cause(held); errors.Is(cause, errLeaseLost) {
		return cause
	}
	return nil
}

// keepLease renews the lease, and gives it up if it was not renewed in time: two replicas must never write to HubSpot
// at once.
func (c *Contacts) keepLease(ctx context.Context, leased leasedOutbox, lose context.CancelCauseFunc) {
	last := time.Now()
	for sleep(ctx, leaseRenew) {
		renewing, cancel := context.WithTimeout(ctx, 2*time.Second)
		err := leased.renew(renewing)
		cancel()
		if err == nil {
			last = time.Now()
			continue
		}
		if errors.Is(err, errLeaseLost) || time.Since(last) > leaseTime-leaseRenew-2*time.Second {
			lose(errLeaseLost)
			return
		}
	}
}

func (c *Contacts) releaseLease(held context.Context, leased leasedOutbox) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(held), 500*time.Millisecond)
	defer cancel()
	if err := leased.release(ctx); err != nil {
		c.deps.Log.Info("could not release the lease of the contact queue, it expires by itself", "error", err)
	}
}
