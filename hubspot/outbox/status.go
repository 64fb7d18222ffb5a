package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// Status is the state of the queue for operators.
type Status struct {
	Sync               string             `json:"sync"`    // "on", or "off": nothing is queued or sent; set by hubspot
	Queued             int64              `json:"queued"`  // waiting, and due
	Delayed            int64              `json:"delayed"` // waiting for a retry
	Held               int64              `json:"held"`    // unchanged: sent when min_interval ends
	InFlight           int64              `json:"in_flight"`
	OldestSeconds      float64            `json:"oldest_seconds"`
	Dead               int64              `json:"dead"`
	PausedUntil        *time.Time         `json:"paused_until"`   // nil if calls are not paused
	PausedBecause      string             `json:"paused_because"` // with the cure, "" if calls are not paused
	RejectedProperties []RejectedProperty `json:"rejected_properties"`
	UnseenClaims       []UnseenClaim      `json:"unseen_claims"`
}

// Status reads the state of the queue. Queued, Delayed, Held and InFlight are disjoint. It knows neither a mapping nor
// HubSpot's limit: UnseenClaims and the pause are empty.
func (o *Outbox) Status(ctx context.Context) (Status, error) {
	k := o.keys
	pipe := o.deps.Queue.Pipeline()
	length, delayed, held := pipe.XLen(ctx, k.stream), pipe.ZCard(ctx, k.due), pipe.ZCard(ctx, k.held)
	inFlight, dead, rejected := pipe.SCard(ctx, k.inFlight), pipe.XLen(ctx, k.dead), pipe.HGetAll(ctx, k.rejected)
	first, noted := pipe.XRangeN(ctx, k.stream, "-", "+", 1), pipe.Get(ctx, k.oldest)
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return Status{}, fmt.Errorf("hubspot: read the queue status: %w", err)
	}
	s := Status{
		Delayed: min(delayed.Val(), length.Val()), Dead: dead.Val(),
		RejectedProperties: rejectedProperties(rejected.Val()), UnseenClaims: []UnseenClaim{},
	}
	s.Held = min(held.Val(), length.Val()-s.Delayed)
	s.InFlight = min(inFlight.Val(), length.Val()-s.Delayed-s.Held)
	s.Queued = length.Val() - s.Delayed - s.Held - s.InFlight
	if oldest := o.oldestWaiting(noted, first.Val()); length.Val() > 0 && !oldest.IsZero() {
		s.OldestSeconds = max(0, o.deps.Now().Sub(oldest).Seconds())
	}
	return s, nil
}

// oldestWaiting returns when the oldest entry was queued that is waiting to be sent. The lease holder, which ignores
// held entries, saves it in Redis; without a holder it is the first entry.
func (o *Outbox) oldestWaiting(noted *redis.StringCmd, first []redis.XMessage) time.Time {
	if ms, err := noted.Int64(); err == nil {
		if ms == 0 {
			return time.Time{}
		}
		return time.UnixMilli(ms)
	}
	if len(first) == 0 {
		return time.Time{}
	}
	return idTime(first[0].ID)
}
