package hubspot

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	batchSize     = 100
	batchWait     = 2 * time.Second         // how long a contact waits for others to share a call
	shutdownGrace = 1500 * time.Millisecond // how long a call may still run during shutdown
	leaseRetry    = 2 * time.Second
	readPage      = time.Second
	gaugeEvery    = time.Second
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

// worker works on the queue while this replica holds the lease.
type worker struct {
	c            *Contacts
	outbox       leasedOutbox
	pending      *pendingQueue
	last         string // id of the last entry that was read
	schema       schemaReader
	refused      map[string]time.Time // properties that HubSpot rejects for all contacts, until when
	failures     int                  // consecutive failed calls
	refusedToken string               // the access token that HubSpot rejected
	gaugesAt     time.Time            // when the gauges were last set
	lastSuccess  time.Time            // when HubSpot last accepted a contact
}

// load reads the whole queue, including the states that the previous lease holder left.
func (w *worker) load(ctx context.Context) error {
	states, err := w.outbox.states(ctx)
	if err != nil {
		return fmt.Errorf("read the queue: %w", err)
	}
	inFlight, err := w.outbox.inFlight(ctx)
	if err != nil {
		return fmt.Errorf("read the queue: %w", err)
	}
	for !w.pending.full() {
		messages, err := w.outbox.deps.Queue.XRangeN(ctx, w.outbox.keys.stream, "("+w.last, "+", 500).Result()
		if err != nil {
			return fmt.Errorf("read the queue: %w", err)
		}
		for _, m := range messages {
			w.last = m.ID
			s := states[m.ID]
			if _, sent := inFlight[m.ID]; sent {
				s.Uncertain, s.Held = true, false
			}
			w.addEntry(m, s)
		}
		if len(messages) < 500 {
			break
		}
	}
	return w.markUncertain(ctx)
}

// markUncertain saves which jobs the previous holder was sending, for the next holder.
func (w *worker) markUncertain(ctx context.Context) error {
	for _, j := range w.pending.order {
		if !j.state.Uncertain {
			continue
		}
		if err := w.outbox.saveState(ctx, j); err != nil {
			return err
		}
	}
	return w.outbox.setInFlight(ctx, nil)
}

// addEntry adds an entry to the pending queue. An entry that cannot be decrypted stays in the stream: its key may be
// added to session.keys again, and then the next holder reads it.
func (w *worker) addEntry(m redis.XMessage, s state) {
	q, err := w.outbox.decode(m)
	if err != nil {
		if w.c.faults.firstTime("entry " + q.id) {
			w.c.deps.Log.Error("cannot decrypt an entry of the contact queue; is a key missing in session.keys?",
				"id", q.id, "error", err)
		}
		return
	}
	w.pending.add(q, s)
}

// step waits for work and does one round.
func (w *worker) step(ctx, held context.Context) error {
	w.updateGauges(held)
	if err := w.fetch(held); err != nil {
		return err
	}
	if err := w.outbox.remove(held, w.pending.replaced); err != nil {
		return err
	}
	w.pending.replaced = nil
	now := w.c.deps.Now()
	ready, total := w.pending.pick(now, w.batchLimit())
	if len(ready) == 0 || ctx.Err() != nil || !w.batchReady(ready, total, now) {
		return nil
	}
	if open, err := w.canCall(held); err != nil || !open {
		return err
	}
	return w.round(held, batchUntilSuspect(ready))
}

// batchReady reports whether a batch should be sent: it is full, its oldest job has waited long enough, or an operator
// requested it.
func (w *worker) batchReady(ready []*job, total int, now time.Time) bool {
	if total >= batchSize || w.failures > 0 {
		return true
	}
	for _, j := range ready {
		if j.forced || j.state.Attempts > 0 || now.Sub(j.since) >= batchWait || j.since.After(now.Add(batchWait)) {
			return true
		}
	}
	return false
}

// fetch reads new entries and waits for them until a job is due.
func (w *worker) fetch(held context.Context) error {
	if w.pending.full() {
		sleep(held, 100*time.Millisecond)
		return nil
	}
	now := w.c.deps.Now()
	block := readPage
	ready, _ := w.pending.pick(now, batchSize)
	for _, j := range ready {
		block = min(block, batchWait-now.Sub(j.since))
	}
	if at, ok := w.pending.nextDue(now); ok {
		block = min(block, at.Sub(now))
	}
	messages, err := w.outbox.after(held, w.last, max(block, 10*time.Millisecond))
	if err != nil {
		return fmt.Errorf("read the queue: %w", err)
	}
	for _, m := range messages {
		w.last = m.ID
		w.addEntry(m, state{})
	}
	return nil
}

// canCall reports whether calls may be made now. If the rejected token was replaced, it ends the pause.
func (w *worker) canCall(ctx context.Context) (bool, error) {
	live := w.c.live.Load()
	if !live.on() {
		sleep(ctx, readPage)
		return false, nil
	}
	if w.refusedToken != "" && w.refusedToken != w.c.client.Token() {
		w.refusedToken = ""
		if err := w.c.limiter.resume(ctx); err != nil {
			return false, err
		}
	}
	wait, err := w.c.limiter.paused(ctx)
	if err != nil || wait == 0 {
		return err == nil, err
	}
	sleep(ctx, min(wait, 500*time.Millisecond))
	return false, nil
}

// updateGauges sets the gauges, at most once a second.
func (w *worker) updateGauges(ctx context.Context) {
	if now := time.Now(); now.Sub(w.gaugesAt) >= gaugeEvery {
		w.gaugesAt = now
		_ = w.outbox.saveOldest(ctx, w.pending.oldest()) // if it fails, only a metric is out of date
		w.c.gauges(ctx)
	}
}

// gauges sets the gauges of the shared queue, which every replica exports.
func (c *Contacts) gauges(ctx context.Context) {
	s, err := c.Status(ctx)
	if err != nil {
		return
	}
	c.deps.Metrics.queueLength.Set(float64(s.Queued + s.Delayed + s.InFlight))
	c.deps.Metrics.queueOldest.Set(s.OldestSeconds)
	c.deps.Metrics.deadLetters.Set(float64(s.Dead))
	if left, err := c.limiter.left(ctx); err == nil {
		c.deps.Metrics.rateRemaining.Set(float64(left))
	}
}
