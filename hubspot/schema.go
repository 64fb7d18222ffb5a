package hubspot

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/hubspot/ratelimit"
)

// schemaReader caches HubSpot's property definitions. They are used to make values valid; without them everything is
// sent as text.
type schemaReader struct {
	known    crm.Schema
	readAt   time.Time
	mapping  *mapping.Mapping // the mapping that was checked against known
	attempts int              // that failed with transient errors
	account  accountReader    // whose definitions they are
	askedAt  time.Time        // when rejected properties were last looked for without them
}

const (
	schemaFresh = time.Hour
	schemaRetry = time.Minute
	// maxSchemaAttempts is how often sending waits for the definitions, because unchecked values may be rejected.
	maxSchemaAttempts = 5
)

// refreshSchema reads the definitions if they are old or missing, or if they lack a mapped property. While there are
// none, a transient error is returned, because an invalid value would be rejected and lost. Without permission to read
// them, values are sent unchecked.
func (w *worker) refreshSchema(ctx context.Context, m *mapping.Mapping) error {
	s := &w.schema
	age := w.c.deps.Now().Sub(s.readAt)
	if s.mapping == m && age < schemaFresh && (age < schemaRetry || s.known != nil && m.IsComplete(s.known)) {
		return nil
	}
	known, err := w.c.client.Schema(ctx)
	if errors.Is(err, ratelimit.ErrPaused) || ratelimit.IsRedisError(err) {
		return err
	}
	if err != nil && s.known == nil && !schemaRefused(err) && s.attempts < maxSchemaAttempts {
		s.attempts++
		return err
	}
	s.readAt, s.mapping, s.attempts = w.c.deps.Now(), m, 0
	var e *crm.APIError
	if errors.As(err, &e) && e.Status == http.StatusTooManyRequests {
		return err // the next call would be rejected as well
	}
	if err != nil {
		if w.c.faults.firstTime("schema") {
			w.c.deps.Log.Warn("cannot read HubSpot's property definitions, values are sent unchecked", "error", err)
		}
		return nil
	}
	w.c.faults.ended("schema")
	s.known = known
	w.c.known.Store(&known)
	return w.forgetRejected(ctx, m)
}

// recheckSchema reads the definitions while there is nothing to send, if an operator may have created or changed a
// property that is missing or was rejected.
func (w *worker) recheckSchema(ctx context.Context) error {
	m := w.c.live.Load().mapping
	if wanted, err := w.wantsSchema(ctx, m); err != nil || !wanted {
		return err
	}
	if open, err := w.canCall(ctx); err != nil || !open {
		return err
	}
	if err := w.refreshSchema(ctx, m); err != nil {
		return w.postpone(ctx, nil, err)
	}
	return nil
}

// wantsSchema reports whether newer definitions would change something: they lack a mapped property, or this holder of
// the lease has read none and another one has left rejected properties.
func (w *worker) wantsSchema(ctx context.Context, m *mapping.Mapping) (bool, error) {
	s, now := &w.schema, w.c.deps.Now()
	if s.known != nil {
		return !m.IsComplete(s.known) && now.Sub(s.readAt) >= schemaRetry, nil
	}
	if now.Sub(s.askedAt) < schemaRetry {
		return false, nil
	}
	s.askedAt = now
	list, err := w.outbox.Rejected(ctx)
	return len(list) > 0, err
}

// schemaRefused reports whether the definitions cannot be read at all.
func schemaRefused(err error) bool {
	var e *crm.APIError
	return errors.As(err, &e) && !e.Transient() && e.Status != http.StatusUnauthorized
}
