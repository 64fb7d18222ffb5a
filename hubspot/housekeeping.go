package hubspot

import (
	"context"
	"log/slog"
	"time"

	"github.com/hubgate/hubgate/hubspot/outbox"
)

const housekeepingEvery = time.Hour

// housekeeping is what the lease holder does to the data in Redis when it begins, and then once an hour.
type housekeeping struct {
	outbox outbox.Leased
	doneAt time.Time
}

// run removes dead letters that are too old, and seals the forget key with the first key of the ring. A failure is
// repeated an hour later.
func (h *housekeeping) run(ctx context.Context, now time.Time, log *slog.Logger) {
	if !h.doneAt.IsZero() && now.Sub(h.doneAt) < housekeepingEvery {
		return
	}
	h.doneAt = now
	if err := h.outbox.TrimDead(ctx); err != nil {
		log.Warn("cannot remove old dead letters; hubgate tries again in an hour", "error", err)
	}
	if err := h.outbox.ResealForgetKey(ctx); err != nil {
		log.Warn("cannot seal the key of the forgotten people with the first of session.keys; keep the other keys",
			"error", err)
	}
}
