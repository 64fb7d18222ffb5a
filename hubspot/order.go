package hubspot

import (
	"errors"
	"slices"
	"time"

	"github.com/hubgate/hubgate/hubspot/outbox"
)

// order decides which jobs are sent next: those that took part in no failed call come first, because one visitor's
// contact must not delay the logins of others (denial of service, CWE-400).
type order struct {
	doubted   map[*outbox.Job]bool // jobs that took part in failed calls, of which another one may be the cause
	limit     int                  // of doubted jobs in one batch
	waitUntil time.Time            // nothing is sent until then
	pausedBy  map[*outbox.Job]int  // jobs of calls that paused all others, with the status
}

// next returns the next batch: jobs that nothing is known about, or a few that are doubted, or one that failed alone.
// It is nil if no batch is ready.
func (o *order) next(ready []*outbox.Job, now time.Time) []*outbox.Job {
	var fresh, doubted, suspects []*outbox.Job
	doubts, pauses := map[*outbox.Job]bool{}, map[*outbox.Job]int{}
	for _, j := range ready {
		if status, found := o.pausedBy[j]; found {
			pauses[j] = status
		}
		switch {
		case j.State.FailedAlone > 0:
			suspects = append(suspects, j)
		case o.doubted[j]:
			doubted = append(doubted, j)
			doubts[j] = true
		default:
			fresh = append(fresh, j)
		}
	}
	o.doubted, o.pausedBy = doubts, pauses // jobs that left the queue are forgotten
	switch {
	case batchReady(fresh, now):
		return fresh[:min(len(fresh), batchSize)]
	case len(doubted) > 0:
		return doubted[:min(len(doubted), o.limit)]
	case len(suspects) > 0:
		return suspects[:1]
	}
	return nil
}

// suspects reports whether a call about one of the plans paused all others with the same status before, or whether one
// failed alone.
func (o *order) suspects(plans []*plan, status int) bool {
	return slices.ContainsFunc(plans, func(p *plan) bool {
		return o.pausedBy[p.job] == status || p.job.State.FailedAlone > 0
	})
}

// isFresh reports whether a batch has only jobs that took part in no failed call.
func (o *order) isFresh(jobs []*outbox.Job) bool {
	for _, j := range jobs {
		if j.State.FailedAlone > 0 || o.doubted[j] {
			return false
		}
	}
	return true
}

// sent notes the end of a batch: which of its jobs are no longer doubted, and that more of them can be sent together if
// no call failed.
func (o *order) sent(b *batch) {
	for _, p := range b.writing {
		if p.done {
			delete(o.doubted, p.job)
		}
		if b.settled[p.job] {
			delete(o.pausedBy, p.job)
		}
	}
	if !b.fresh && !b.stopped {
		o.limit = min(2*o.limit, batchSize)
	}
}

// doubt notes that plans took part in failed calls. At most limit of them are sent together.
func (o *order) doubt(plans []*plan, limit int) {
	for _, p := range plans {
		o.doubted[p.job] = true
	}
	o.limit = max(1, limit)
}

// batchReady reports whether a batch should be sent: it is full, its oldest job has waited long enough, or an operator
// requested it.
func batchReady(ready []*outbox.Job, now time.Time) bool {
	if len(ready) >= batchSize {
		return true
	}
	for _, j := range ready {
		if j.Forced || j.State.Attempts > 0 || now.Sub(j.Since) >= batchWait || j.Since.After(now.Add(batchWait)) {
			return true
		}
	}
	return false
}

const (
	giveWayWait  = 2 * time.Second  // how long nothing is sent after contacts that failed alone in a row
	giveWayAfter = 20 * time.Second // how long calls may fail for what a batch contains
	// doubtedLimit limits a call about contacts that took part in a failed one, because HubSpot may never respond to it.
	doubtedLimit = 10 * time.Second
)

// giveWay ends a batch in which calls fail for what they contain. What is left is sent after the logins that arrive
// meanwhile, at most limit contacts together.
func (b *batch) giveWay(limit int) {
	b.stopped = true
	b.w.order.doubt(undone(b.writing), limit)
}

// timedOut reports whether a call failed because no response arrived in time.
func timedOut(failure error) bool {
	var e interface{ Timeout() bool }
	return errors.As(failure, &e) && e.Timeout()
}
