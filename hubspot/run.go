package hubspot

import (
	"context"
	crand "crypto/rand"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/background"
	"github.com/hubgate/hubgate/internal/lease"
)

const (
	leaseRetry    = 2 * time.Second
	shutdownGrace = 1500 * time.Millisecond // how long a call may still run during shutdown
)

// Run sends the queue until ctx ends. Only one replica at a time does so; the others try to acquire the lease every two
// seconds. During shutdown a call in flight gets shutdownGrace to finish, then the lease is released. Run retries until
// Redis is back.
func (c *Contacts) Run(ctx context.Context) error {
	var gauges sync.WaitGroup
	gauges.Go(func() { _ = background.Keep(ctx, c.deps.Log, "contact gauges", c.exportGauges) })
	defer gauges.Wait()
	replica := crand.Text()
	for ctx.Err() == nil {
		leased, acquired, err := c.outbox.AcquireLease(ctx, replica)
		switch {
		case acquired:
			err = c.work(ctx, leased)
		case err == nil: // another replica holds the lease
			c.faults.queueWorks(c.deps.Log)
		}
		if err != nil && ctx.Err() == nil {
			c.faults.queueFails(c.deps.Log, outbox.Explain(err))
		}
		pause := leaseRetry/2 + time.Duration(rand.Int64N(int64(leaseRetry)))
		if !background.Sleep(ctx, pause) {
			return nil
		}
	}
	return nil
}

// work processes the queue until ctx ends, the lease is lost, or Redis fails. A panic is an error of this attempt: what
// HubSpot or a claim contains must not end the process.
func (c *Contacts) work(ctx context.Context, leased outbox.Leased) (err error) {
	defer background.Recover(&err)
	c.limits.RequireLease(leased.Lease())
	held, lose := context.WithCancelCause(context.WithoutCancel(ctx))
	defer lose(nil)
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(shutdownGrace, func() { lose(context.Canceled) })
	})
	defer stop()
	go leased.Keep(held, lose)
	defer c.releaseLease(held, leased)
	defer c.health.refuse(false)
	w := &worker{c: c, outbox: leased, pending: outbox.NewPending(), last: "0", refused: map[string]refusedProperty{}}
	if err := w.load(held); err != nil {
		return err
	}
	chores := housekeeping{outbox: leased}
	for ctx.Err() == nil && held.Err() == nil {
		chores.run(held, c.deps.Now(), c.deps.Log)
		if err := w.step(ctx, held); err != nil {
			return err
		}
		c.faults.queueWorks(c.deps.Log)
	}
	if cause := context.Cause(held); errors.Is(cause, lease.ErrLost) {
		return cause
	}
	return nil
}

func (c *Contacts) releaseLease(held context.Context, leased outbox.Leased) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(held), 500*time.Millisecond)
	defer cancel()
	if err := leased.Release(ctx); err != nil {
		c.deps.Log.Info("could not release the lease of the contact queue, it expires by itself", "error", err)
	}
}
