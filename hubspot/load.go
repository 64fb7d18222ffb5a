package hubspot

import (
	"context"
	"fmt"
	"slices"

	"github.com/hubgate/hubgate/hubspot/outbox"
)

// load reads the whole queue, including the states that the previous lease holder left.
func (w *worker) load(ctx context.Context) error {
	if err := w.outbox.IndexRecords(ctx); err != nil {
		return err
	}
	states, err := w.outbox.States(ctx)
	if err != nil {
		return fmt.Errorf("read the queue: %w", err)
	}
	if err := w.outbox.MoveHeld(ctx, states); err != nil {
		return fmt.Errorf("read the queue: %w", err)
	}
	for more := true; more && !w.pending.Full(); {
		var list []outbox.Queued
		if list, more, err = w.outbox.Existing(ctx, w.last); err != nil {
			return fmt.Errorf("read the queue: %w", err)
		}
		for _, q := range list {
			q.State = states[q.ID]
			w.addEntry(q)
		}
	}
	return w.outbox.SetInFlight(ctx, nil)
}

// addEntry adds an entry to the pending queue. An entry that cannot be decrypted stays in the stream: its key may be
// added to session.keys again, and then the next holder reads it. One that cannot be decoded never can, and is removed.
func (w *worker) addEntry(q outbox.Queued) {
	w.last = q.ID
	switch {
	case q.Err == nil:
		w.pending.Add(q)
	case !q.Sealed():
		w.pending.Replaced = append(w.pending.Replaced, q.ID)
		w.c.deps.Metrics.lost.Inc()
		w.c.deps.Log.Error("cannot decode an entry of the contact queue, removed it", "id", q.ID, "error", q.Err)
	case w.c.faults.firstTime("entry " + q.ID):
		w.c.deps.Log.Error("cannot decrypt an entry of the contact queue; is a key missing in session.keys?",
			"id", q.ID, "error", q.Err)
	}
}

// begin saves that jobs are in flight, and returns those that may be sent. A job whose newest entry was removed behind
// the worker's back ends; what is left of it is read again.
func (w *worker) begin(ctx context.Context, jobs []*outbox.Job) ([]*outbox.Job, error) {
	if failure, err := w.checkAccount(ctx); err != nil {
		return nil, err
	} else if failure != nil {
		return nil, w.postpone(ctx, nil, failure)
	}
	gone, err := w.outbox.Begin(ctx, jobs)
	if err != nil || len(gone) == 0 {
		return jobs, err
	}
	w.pending.Remove(gone)
	for j := range gone {
		left, err := w.outbox.Reread(ctx, j.IDs)
		if err != nil {
			return nil, fmt.Errorf("read the queue: %w", err)
		}
		for _, q := range left {
			if q.Err == nil {
				w.pending.Add(q)
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(jobs), func(j *outbox.Job) bool { return gone[j] }), nil
}
