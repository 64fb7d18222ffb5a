package hubspot

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
)

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
