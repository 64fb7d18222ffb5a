package hubspot

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/background"
)

const (
	batchSize = 100
	batchWait = 2 * time.Second // how long a contact waits for others to share a call
	readPage  = time.Second     // how long a read waits for new entries
)

// worker processes the queue while this replica holds the lease.
type worker struct {
	c            *Contacts
	outbox       outbox.Leased
	pending      *outbox.Pending
	last         string // id of the last entry that was read
	schema       schemaReader
	refused      map[string]refusedProperty // properties that HubSpot rejects for all contacts
	failures     int                        // consecutive failed calls
	lastSuccess  time.Time                  // when HubSpot last accepted a contact
	refusedToken string                     // the access token that HubSpot rejected
	oldestAt     time.Time                  // when the time of the oldest job was last saved
	order        order
}

// refusedProperty is why a property is not sent, and until when.
type refusedProperty struct {
	drop  crm.Drop
	until time.Time
}

// step processes one batch: it takes it from the queue, plans what to write, sends that, and settles each job. An error
// comes from Redis and ends the worker; HubSpot's errors are settled with the jobs that they affect.
func (w *worker) step(ctx, held context.Context) error {
	jobs, err := w.take(ctx, held)
	if err != nil {
		return err
	}
	if len(jobs) == 0 {
		return w.recheckSchema(held)
	}
	b := newBatch(w, jobs)
	defer func() { w.pending.Remove(b.settled) }()
	if planned, err := b.plan(held, jobs); err != nil || !planned {
		return err
	}
	if err := b.send(held); err != nil {
		return err
	}
	w.order.sent(b)
	return w.outbox.SetInFlight(held, nil)
}

// take waits for a batch and saves that its jobs are in flight. It returns none if there is nothing to send now.
func (w *worker) take(ctx, held context.Context) ([]*outbox.Job, error) {
	w.saveOldest(held)
	if err := w.fetch(held); err != nil {
		return nil, err
	}
	if err := w.outbox.Remove(held, w.pending.Replaced); err != nil {
		return nil, err
	}
	w.pending.Replaced = nil
	now := w.c.deps.Now()
	ready, _ := w.pending.Pick(now, math.MaxInt)
	jobs := w.order.next(ready, now)
	if len(jobs) == 0 || ctx.Err() != nil {
		return nil, nil
	}
	if open, err := w.canCall(held); err != nil || !open {
		return nil, err
	}
	return w.begin(held, jobs)
}

// saveOldest saves when the oldest job was queued, at most once a second. If it fails, only a metric is out of date.
func (w *worker) saveOldest(ctx context.Context) {
	if now := w.c.deps.Now(); now.Sub(w.oldestAt) >= time.Second {
		w.oldestAt = now
		_ = w.outbox.SaveOldest(ctx, w.pending.Oldest())
	}
}

// fetch reads new entries and waits for them until a job is due.
func (w *worker) fetch(held context.Context) error {
	if w.pending.Full() {
		background.Sleep(held, 100*time.Millisecond)
		return nil
	}
	now := w.c.deps.Now()
	block := readPage
	ready, _ := w.pending.Pick(now, batchSize)
	for _, j := range ready {
		block = min(block, batchWait-now.Sub(j.Since))
	}
	if at, ok := w.pending.NextDue(now); ok {
		block = min(block, at.Sub(now))
	}
	list, err := w.outbox.After(held, w.last, max(block, 10*time.Millisecond))
	if err != nil {
		return fmt.Errorf("read the queue: %w", err)
	}
	for _, q := range list {
		w.addEntry(q)
	}
	return nil
}

// canCall reports whether calls may be made now. If the rejected token was replaced, it ends the pause.
func (w *worker) canCall(ctx context.Context) (bool, error) {
	live := w.c.live.Load()
	if !live.on() {
		background.Sleep(ctx, readPage)
		return false, nil
	}
	if w.refusedToken != "" && w.refusedToken != w.c.client.Token() {
		w.refusedToken = ""
		if err := w.c.limits.ResumeSync(ctx); err != nil {
			return false, err
		}
	}
	_, wait, err := w.c.limits.Paused(ctx)
	if wait = max(wait, w.order.waitUntil.Sub(w.c.deps.Now())); err != nil || wait <= 0 {
		return err == nil, err
	}
	background.Sleep(ctx, min(wait, 500*time.Millisecond))
	return false, nil
}
