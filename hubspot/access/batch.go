package access

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
)

// batch is a group of people who are read together.
type batch struct {
	a       *Access
	reader  Reader
	began   time.Time
	probed  time.Time // when a probe last showed that HubSpot answers
	alone   int       // people on whom HubSpot failed alone, without a success in between
	stopped bool      // the rest is unknown

	blameless bool // HubSpot answers no calls: people may be read as soon as it does
}

const (
	callLimit    = 15 * time.Second // of one call
	doubtedLimit = 5 * time.Second  // of one call after a failure
	probeLimit   = 10 * time.Second // of one call of a probe
	batchLimit   = time.Minute      // of a batch with its halves
	probedFor    = 5 * time.Second  // how long a probe's success explains failed calls
	maxAlone     = 3
)

// readBatch reads people and ends their reads, with or without an answer.
func (a *Access) readBatch(ctx context.Context, reader Reader, asks []*ask) {
	if len(asks) == 0 {
		return
	}
	defer a.queue.finish(asks) // after a panic as well
	if a.outage.on() {
		return
	}
	b := &batch{a: a, reader: reader, began: a.deps.Now()}
	b.read(crm.WithLimit(ctx, callLimit), asks)
}

// read reads people. If the call fails although HubSpot answers a probe, it rejects what the call contains, or cannot
// answer it: halves are read until the cause is alone.
func (b *batch) read(ctx context.Context, asks []*ask) {
	if b.stopped || b.a.deps.Now().Sub(b.began) >= batchLimit {
		b.unknown(ctx, asks)
		return
	}
	answers, err := b.a.ask(ctx, b.reader, asks)
	switch {
	case err == nil:
		b.alone = 0
		b.a.settle(ctx, answers)
	case ctx.Err() != nil || b.callsFail(ctx, err):
		b.stopped, b.blameless = true, true
		b.unknown(ctx, asks)
	case len(asks) > 1:
		ctx, half := crm.WithLimit(ctx, doubtedLimit), len(asks)/2
		b.read(ctx, asks[:half])
		b.read(ctx, asks[half:])
	default:
		b.failedAlone(ctx, asks[0], err)
	}
}

// callsFail reports whether HubSpot answers no calls now. Its error says so, or a probe does: visitors choose what a
// batch contains, and must not be able to stop all reads (CWE-400).
func (b *batch) callsFail(ctx context.Context, err error) bool {
	if aboutAllCalls(err) {
		b.a.outage.begin(err)
		return true
	}
	if b.a.deps.Now().Sub(b.probed) < probedFor {
		return false
	}
	if err := b.a.probe(ctx, b.reader); err != nil {
		if ctx.Err() == nil {
			b.a.outage.begin(err)
		}
		return true
	}
	b.probed = b.a.deps.Now()
	return false
}

// aboutAllCalls reports whether only HubSpot itself can have said this, and about every call: it rejects the token, or
// names the limit or the scopes. A firewall before it may respond 429 to an address that a visitor chose.
func aboutAllCalls(err error) bool {
	var e *crm.APIError
	if !errors.As(err, &e) {
		return false
	}
	return e.Policy != "" || e.LacksScopes() || e.Status == http.StatusUnauthorized && e.AboutCalls()
}

// failedAlone handles a failed call about one person, who is read without others from now on.
func (b *batch) failedAlone(ctx context.Context, one *ask, err error) {
	b.alone++
	b.stopped = b.alone >= maxAlone
	one.alone = true
	b.a.outage.blame(one.person.logHash(b.a.deps.Ring), err)
	b.unknown(ctx, []*ask{one})
}

// unknown ends reads without an answer.
func (b *batch) unknown(ctx context.Context, asks []*ask) {
	b.a.deps.Metrics.unread(len(asks))
	b.a.unanswered(ctx, asks, b.blameless)
}

// unanswered remembers for whom there is no answer. Another replica may try.
func (a *Access) unanswered(ctx context.Context, asks []*ask, blameless bool) {
	var claimed []*ask
	for _, one := range asks {
		if !blameless {
			a.cache.failed(one.person.name(), one.alone, a.deps.Now())
		}
		if one.claimed {
			claimed = append(claimed, one)
		}
	}
	a.queue.finish(asks)
	if len(claimed) > 0 {
		a.store.release(ctx, claimed)
	}
}

// settle makes answers known: to visitors who wait at once, then to other replicas.
func (a *Access) settle(ctx context.Context, answers []answer) {
	var known []answer
	var unknown, answered []*ask
	for _, one := range answers {
		if one.known == nil {
			unknown = append(unknown, one.ask)
			continue
		}
		known, answered = append(known, one), append(answered, one.ask)
	}
	before := make([]*Known, len(known))
	for i, one := range known {
		before[i] = a.cache.get(one.ask.person.name()).known
		a.cache.add(one.ask.person.name(), one.known, a.deps.Now())
	}
	a.queue.finish(answered)
	a.unanswered(ctx, unknown, false)
	a.share(ctx, known, before)
}
