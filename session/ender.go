package session

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/fields"
	"github.com/hubgate/hubgate/internal/redisread"
)

// ender ends sessions: on this replica at once, in Redis and on the other replicas now or when Redis is back.
type ender struct {
	store   *store
	cache   *cache
	retries *retryQueue
	metrics *Metrics
	audit   *slog.Logger
	now     func() time.Time
}

// ending is the end of one session.
type ending struct {
	ref, reason string
	repeated    bool      // it was done before; a failover may have lost it
	others      time.Time // if set, the user's other sessions that began before this time end as well
}

// endAndRetry ends a session, on this replica at once. After an error it is retried until Redis accepts it.
func (e *ender) endAndRetry(ctx context.Context, x ending) error {
	e.cache.markEnded(x.ref)
	_, err := e.remove(ctx, x)
	if err != nil {
		e.endLater(x)
	}
	return err
}

// endLater ends a session on this replica, and in Redis as soon as Redis accepts it.
func (e *ender) endLater(x ending) {
	e.cache.markEnding(x.ref)
	e.enqueue(x)
}

func (e *ender) enqueue(x ending) {
	e.retries.enqueue(retryTask{ref: x.ref, run: func(ctx context.Context) error {
		_, err := e.end(ctx, x)
		return err
	}})
}

// endAgain repeats the recent ends: a failover loses writes that the old master had not replicated, and would bring
// ended sessions back.
func (e *ender) endAgain() {
	for _, ref := range e.cache.tombstones.ended(e.now()) {
		if e.retries.crowded() {
			return
		}
		e.enqueue(ending{ref: ref, reason: "revoked", repeated: true})
	}
}

// end ends a session and reports whether it existed.
func (e *ender) end(ctx context.Context, x ending) (existed bool, err error) {
	existed, err = e.remove(ctx, x)
	if err == nil {
		e.cache.markEnded(x.ref)
	}
	return existed, err
}

// remove deletes the record, then the entries in lists, and notifies the other replicas.
func (e *ender) remove(ctx context.Context, x ending) (existed bool, err error) {
	u, _, known, err := e.store.summary(ctx, x.ref)
	if err != nil {
		return false, err
	}
	if !x.others.IsZero() && known { // first: without the summary the user is unknown
		if _, err := e.endListed(ctx, e.store.keys.user(u.Issuer, u.Subject), x.others); err != nil {
			return false, err
		}
	}
	existed, err = e.store.remove(ctx, x.ref)
	if err != nil || x.repeated && !existed {
		return false, err
	}
	if err := e.store.publish(ctx, "end "+x.ref); err != nil {
		return false, err
	}
	if existed {
		e.metrics.ended.WithLabelValues(x.reason).Inc()
		e.audit.InfoContext(ctx, "session ended", "action", "session_end", "outcome", "success",
			"reason", x.reason, "session", x.ref, "email", u.Email)
	}
	if known {
		e.store.removeFromLists(ctx, u.session(x.ref))
	}
	return existed, nil
}

// endAll ends all sessions in some lists.
func (e *ender) endAll(ctx context.Context, lists []string) (int, error) {
	n, err := e.endListed(ctx, lists, time.Time{})
	if err != nil {
		return n, fmt.Errorf("session: end: %w", err)
	}
	return n, nil
}

// endAllAndRetry is endAll. After an error it ends the sessions that have begun until now when Redis is back.
func (e *ender) endAllAndRetry(ctx context.Context, lists []string) (int, error) {
	ctx, cancel := detached(ctx)
	defer cancel()
	before := e.now()
	n, err := e.endAll(ctx, lists)
	if err != nil {
		e.retries.enqueue(retryTask{run: func(ctx context.Context) error {
			_, err := e.endListed(ctx, lists, before)
			return err
		}})
	}
	return n, err
}

// endListed ends the sessions in some lists. With a time, it ends only those that began before it.
func (e *ender) endListed(ctx context.Context, lists []string, before time.Time) (int, error) {
	n := 0
	for _, key := range lists {
		for { // until none is left: a list may change while it is read
			existed, removed, err := e.endList(ctx, key, before)
			if n += existed; err != nil {
				return n, err
			}
			if removed == 0 {
				break
			}
		}
	}
	return n, nil
}

// endList reads a list once and ends its sessions. It returns how many existed and how many entries it removed.
func (e *ender) endList(ctx context.Context, key string, before time.Time) (existed, removed int, err error) {
	var refs []string // all of them, before any is removed
	err = e.store.list(key).Each(ctx, func(z redis.Z) { refs = append(refs, z.Member.(string)) })
	if redisread.IsWrongType(err) {
		err = e.store.removeMistyped(ctx, key)
	}
	for i := 0; err == nil && i < len(refs); i++ {
		var later, existing bool
		if later, err = e.beganAfter(ctx, refs[i], before); err != nil || later {
			continue
		}
		if existing, err = e.end(ctx, ending{ref: refs[i], reason: "revoked"}); err != nil {
			break
		}
		if existing {
			existed++
		}
		removed++
		err = e.store.rdb.ZRem(ctx, key, refs[i]).Err()
	}
	return existed, removed, err
}

// beganAfter reports whether a session began after a time: an end that Redis accepts late must not end the session that
// the same person has begun since.
func (e *ender) beganAfter(ctx context.Context, ref string, at time.Time) (bool, error) {
	if at.IsZero() {
		return false, nil
	}
	u, _, known, err := e.store.summary(ctx, ref)
	return known && fields.FromMillis(u.Created).After(at), err
}
