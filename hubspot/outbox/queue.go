package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/hubspot/crm"
)

// QueuePage is one page of the queue, oldest entries first. Next is the cursor of the next page, "" at the end.
type QueuePage struct {
	Entries []QueueEntry `json:"entries"`
	Next    string       `json:"next"`
}

// QueueEntry is a login that is not synced yet.
type QueueEntry struct {
	ID        string     `json:"id"`
	Email     string     `json:"email"`
	State     string     `json:"state"` // queued | in_flight | delayed | held (unchanged, until min_interval ends)
	QueuedAt  time.Time  `json:"queued_at"`
	Attempts  int        `json:"attempts"`
	FirstAt   *time.Time `json:"first_at"` // time of the first attempt, or nil
	NextAt    *time.Time `json:"next_at"`  // time of the next attempt; nil = as soon as possible
	LastError string     `json:"last_error"`
}

// Waiting returns at most limit queue entries (1 to 1000) after cursor ("" = from the oldest).
func (o *Outbox) Waiting(ctx context.Context, cursor string, limit int) (page QueuePage, err error) {
	page.Entries = []QueueEntry{}
	page.Next, err = o.list(ctx, o.keys.stream, listing{cursor, limit}, func(messages []redis.XMessage) error {
		states, inFlight, err := o.statesOf(ctx, messages)
		if err != nil {
			return err
		}
		for i, m := range messages {
			page.Entries = append(page.Entries, o.queueEntry(m, states[i], inFlight[i]))
		}
		return nil
	})
	if err != nil && !errors.Is(err, ErrCursor) {
		err = fmt.Errorf("hubspot: read the queue: %w", err)
	}
	return page, err
}

// statesOf reads the states of entries, and whether they are in flight.
func (o *Outbox) statesOf(ctx context.Context, messages []redis.XMessage) ([]any, []bool, error) {
	if len(messages) == 0 {
		return nil, nil, nil
	}
	ids, members := make([]string, len(messages)), make([]any, len(messages))
	for i, m := range messages {
		ids[i], members[i] = m.ID, m.ID
	}
	pipe := o.deps.Queue.Pipeline()
	states := pipe.HMGet(ctx, o.keys.tries, ids...)
	inFlight := pipe.SMIsMember(ctx, o.keys.inFlight, members...)
	_, err := pipe.Exec(ctx)
	return states.Val(), inFlight.Val(), err
}

func (o *Outbox) queueEntry(m redis.XMessage, stateText any, inFlight bool) QueueEntry {
	e := QueueEntry{ID: m.ID, State: "queued", QueuedAt: idTime(m.ID).UTC()}
	if q := o.decode(m); q.Err == nil {
		e.Email = q.entry.Login.Email
	} else {
		e.LastError = unreadable(q.Err)
	}
	var s State
	if text, ok := stateText.(string); ok && json.Unmarshal([]byte(text), &s) == nil {
		e.State, e.Attempts, e.LastError = "delayed", s.Attempts, s.Error
		e.FirstAt, e.NextAt = timeFromMillis(s.First), timeFromMillis(s.Next)
	}
	switch {
	case inFlight:
		e.State = "in_flight"
	case s.Held:
		e.State = "held"
	}
	return e
}

func timeFromMillis(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	at := time.UnixMilli(ms).UTC()
	return &at
}

// IsQueued reports whether a login with this address is in the queue.
func (o *Outbox) IsQueued(ctx context.Context, email string) (queued bool, err error) {
	err = o.messagesOf(ctx, o.keys.stream, func(m redis.XMessage) (more bool) {
		q := o.decode(m)
		queued = q.Err == nil && !q.entry.Waiting && crm.EmailKey(q.entry.Login.Email) == email
		return !queued
	})
	if err != nil {
		return false, fmt.Errorf("hubspot: read the queue: %w", err)
	}
	return queued, nil
}
