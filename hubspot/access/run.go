package access

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/hubgate/hubgate/internal/background"
)

const (
	maxBatches   = 4                      // that are read at once for visitors who wait
	gatherTime   = 20 * time.Millisecond  // in which people who wait join a batch
	longestPace  = 500 * time.Millisecond // a visitor waits for two seconds at most
	suspectBurst = 15                     // reads that find one cause in a batch
	sweepEvery   = time.Minute
)

// Run reads people and receives changes until ctx ends.
func (a *Access) Run(ctx context.Context) error {
	var parts sync.WaitGroup
	run := func(name string, part func(context.Context) error) {
		parts.Go(func() { _ = background.Keep(ctx, a.deps.Log, name, part) })
	}
	for range maxBatches {
		run("reads of waiting visitors", a.readWaiting)
	}
	run("reads of suspects", a.readSuspects)
	run("reads in the background", a.readBackground)
	run("account of the token", a.followToken)
	run("recovery of hubspot", a.recover)
	run("copies of access", a.sweep)
	run("subscription of access", func(ctx context.Context) error { a.subscription.Loop(ctx); return nil })
	run("watchers of access", func(ctx context.Context) error { a.watchers.Loop(ctx); return nil })
	parts.Wait()
	return nil
}

// pace returns the time between batches that are not full, if people without a usable answer are in them. Two calls in
// each use half of the rate limit. A visitor who comes alone does not wait.
func (a *Access) pace() time.Duration {
	rate := a.deps.Rate()
	return min(4*rate.Per.D()/time.Duration(max(1, rate.Requests)), longestPace)
}

// readWaiting reads people for whom visitors wait. Others fill the batch.
func (a *Access) readWaiting(ctx context.Context) error {
	for {
		asks := a.nextWaiting(ctx)
		if len(asks) == 0 {
			return nil
		}
		if n := batchSize - len(asks); n > 0 {
			others, _ := a.claimSome(ctx, n)
			asks = append(asks, others...)
		}
		a.readBatch(ctx, a.deps.Urgent, asks)
	}
}

// nextWaiting returns the next batch of people for whom visitors wait, or none when ctx has ended.
func (a *Access) nextWaiting(ctx context.Context) []*ask {
	select {
	case <-ctx.Done():
		return nil
	case a.turn <- struct{}{}:
	}
	defer func() { <-a.turn }()
	for {
		asks, wait := a.queue.takeWaiting(a.pace())
		if len(asks) > 0 {
			return asks
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			return nil
		case <-a.queue.ready:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// readSuspects reads people on whom a call has failed, without others: one group at a time, and after the first ones
// with at most a quarter of the rate limit.
func (a *Access) readSuspects(ctx context.Context) error {
	for due := (time.Time{}); ; {
		asks := a.queue.takeSuspects()
		if len(asks) == 0 {
			select {
			case <-ctx.Done():
				return nil
			case <-a.queue.doubted:
			}
			continue
		}
		a.readBatch(ctx, a.deps.Urgent, asks)
		now, spacing := a.deps.Now(), 2*a.pace()
		if earliest := now.Add(-suspectBurst * spacing); due.Before(earliest) {
			due = earliest
		}
		due = due.Add(spacing)
		if !background.Sleep(ctx, due.Sub(now)) {
			return nil
		}
	}
}

// readBackground reads people for whom no visitor waits.
func (a *Access) readBackground(ctx context.Context) error {
	for {
		for !a.queue.empty() {
			if !background.Sleep(ctx, a.live.Load().need.spacing()) {
				return nil
			}
			a.readGathered(ctx)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-a.queue.gathering:
		}
	}
}

// readGathered reads a full batch, or what has been gathered for long enough.
func (a *Access) readGathered(ctx context.Context) {
	due, late := a.queue.due(a.live.Load().need.gather())
	if !due {
		return
	}
	asks := a.claim(ctx, batchSize)
	if len(asks) < batchSize && !late {
		a.queue.putBack(asks) // other replicas read the rest
		return
	}
	a.readBatch(ctx, a.deps.Spare, asks)
}

// claim takes at most n people for whom no visitor waits, without those whom other replicas have claimed.
func (a *Access) claim(ctx context.Context, n int) (claimed []*ask) {
	for more := true; more && len(claimed) < n; {
		var some []*ask
		some, more = a.claimSome(ctx, n-len(claimed))
		claimed = append(claimed, some...)
	}
	return claimed
}

// claimSome is claim in one round trip: visitors who wait for the batch do not wait until it is full. more reports
// whether it is worth another one.
func (a *Access) claimSome(ctx context.Context, n int) (claimed []*ask, more bool) {
	asks := a.queue.takeLater(n)
	if len(asks) == 0 {
		return nil, false
	}
	won, err := a.store.claim(ctx, asks, a.live.Load().need.claimTime())
	for i, one := range asks {
		one.claimed = one.claimed || won[i]
		if (one.claimed && err == nil) || !a.queue.leave(one) {
			claimed = append(claimed, one)
		}
	}
	return claimed, err == nil
}

// sweep drops copies that are too old to use.
func (a *Access) sweep(ctx context.Context) error {
	for background.Sleep(ctx, sweepEvery) {
		a.cache.sweep(a.live.Load().need.maxStale, a.deps.Now())
	}
	return nil
}

// onUp handles that the subscription is up: changes may have been missed before.
func (a *Access) onUp() {
	a.cache.doubtAll(a.deps.Now())
	a.watchers.Resume()
	a.Retry() // Redis, which has the rate limit, may have been the cause of an outage
}

// onMessage handles what another replica, or this one, has published.
func (a *Access) onMessage(payload string) {
	event, names, _ := strings.Cut(payload, " ")
	switch event {
	case eventErased:
		a.cache.people.InvalidateAll()
	case eventChanged:
		for name := range strings.SplitSeq(names, " ") {
			a.cache.doubt(name)
			a.watchers.Notify(name)
		}
	}
}
