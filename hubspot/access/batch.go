package access

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
)

const (
	callLimit    = 15 * time.Second // of one call
	doubtedLimit = 5 * time.Second  // of one call about people on whom one has failed
	probeLimit   = 10 * time.Second // of one call of a probe
	probedFor    = 5 * time.Second  // how long a probe's success explains failed calls
)

// readBatch reads people. If the call fails although HubSpot answers a probe, it rejects what the call contains, or
// cannot answer it: halves are read by readSuspects until the cause is alone. Other people do not wait for that.
func (a *Access) readBatch(ctx context.Context, reader Reader, asks []*ask) {
	if len(asks) == 0 {
		return
	}
	ending := asks
	defer func() { a.queue.finish(ending) }() // after a panic as well
	if a.outage.on() {
		return
	}
	limit := callLimit
	if asks[0].group < batchSize {
		limit = doubtedLimit
	}
	answers, err := a.ask(crm.WithLimit(ctx, limit), reader, asks)
	switch {
	case err == nil:
		a.settle(ctx, answers)
	case ctx.Err() != nil || a.callsFail(ctx, reader, err):
		a.deps.Metrics.unread(len(asks))
		a.unanswered(ctx, asks, true)
	case len(asks) > 1:
		ending = nil
		a.queue.doubt(asks)
	default:
		asks[0].alone = true
		a.outage.blame(asks[0].person.logHash(a.deps.Ring), err)
		a.deps.Metrics.unread(1)
		a.unanswered(ctx, asks, false)
	}
}

// callsFail reports whether HubSpot answers no calls now. Its error says so, or a probe does: visitors choose what a
// batch contains, and must not be able to stop all reads (CWE-400). All readers share a probe, so that failures that
// visitors cause do not cost one each.
func (a *Access) callsFail(ctx context.Context, reader Reader, err error) bool {
	if aboutAllCalls(err) {
		a.outage.begin(err)
		return true
	}
	a.outage.probing <- struct{}{}
	defer func() { <-a.outage.probing }()
	if a.outage.on() || a.deps.Now().Sub(a.outage.probed) < probedFor {
		return a.outage.on()
	}
	if err := a.probe(ctx, reader); err != nil {
		if ctx.Err() == nil {
			a.outage.begin(err)
		}
		return true
	}
	a.outage.probed = a.deps.Now()
	return false
}

// aboutAllCalls reports whether only HubSpot itself can have said this, and about every call: it rejects the token, or
// names the limit or the scopes. A firewall before it may respond 429 to an address that a visitor chose. The call for
// the account contains nothing of a visitor.
func aboutAllCalls(err error) bool {
	var unresolved *portalError
	if errors.As(err, &unresolved) {
		return true
	}
	var e *crm.APIError
	if !errors.As(err, &e) {
		return false
	}
	return e.Policy != "" || e.LacksScopes() || e.Status == http.StatusUnauthorized && e.AboutCalls()
}

// unanswered remembers for whom there is no answer, unless HubSpot answers no calls: then people may be read as soon as
// it does. Another replica may try.
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
		a.cache.add(one.ask.person.name(), one.known, a.better(one.ask.person))
	}
	a.queue.finish(answered)
	a.unanswered(ctx, unknown, false)
	a.share(ctx, known, before)
}
