package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"time"
)

const (
	readTime     = time.Second           // bounds reading a session from Redis, retries included
	readPause    = 20 * time.Millisecond // before the first retry; it doubles
	readPauseMax = 200 * time.Millisecond
	shortFor     = time.Second            // how long reads are short after one that timed out
	shortTime    = 200 * time.Millisecond // bounds a short read
)

var (
	// errDown means that Redis was not asked, because it is known to be down.
	errDown = errors.New("session: redis is unavailable")
	// errUnreadable means that there is a record that this cookie, host or client does not open. Another may open it.
	errUnreadable = fmt.Errorf("%w: the record cannot be opened", ErrNoSession)
)

// fetchWithRetry fetches a session and retries, so that a short failure (a lost connection, a failover) fails no
// request. It does not wait while Redis is known to be down. If a read has just timed out, a session that is usable in
// an outage gets one short try: otherwise every page would be slow until the probe has found the outage.
func (ch *cache) fetchWithRetry(ctx context.Context, q query) (c *cached, err error) {
	limit, short := readTime, ch.timedOutRecently() && ch.usableInOutage(q)
	if short {
		limit = shortTime
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err = errDown
	for pause := readPause; !ch.state().Down; pause = min(2*pause, readPauseMax) {
		if c, err = ch.fetch(ctx, q.ticket, q.aad()); err == nil || errors.Is(err, ErrNoSession) || short {
			return c, err
		}
		select {
		case <-ctx.Done():
			ch.timedOut.Store(ch.now().UnixNano())
			return nil, err
		case <-time.After(pause):
		}
	}
	return nil, err
}

// timedOutRecently reports whether a read timed out within the last second.
func (ch *cache) timedOutRecently() bool {
	since := ch.now().Sub(time.Unix(0, ch.timedOut.Load()))
	return since >= 0 && since < shortFor // below 0: the clock was set back
}

// fetch reads a session from Redis and puts it into the cache.
func (ch *cache) fetch(ctx context.Context, t ticket, aad []byte) (*cached, error) {
	ref, latest := t.ref(), ch.confirmation()
	values, err := ch.store.reads.Get(ctx, ch.store.keys.record(ref), ch.store.keys.summary(ref))
	if err != nil {
		return nil, err
	}
	stored, sealedSummary := values[0], values[1]
	if stored == "" {
		return nil, &NoSessionError{Reason: RecordMissing}
	}
	c, err := ch.open(t, stored, aad)
	if err != nil {
		if !ch.ofAnotherHost(ref, sealedSummary, aad) {
			ch.store.metrics.unreadable.Inc()
		}
		return nil, &NoSessionError{Reason: RecordMissing, cause: errUnreadable}
	}
	kept := c.confirmed.Load() != nil
	c.confirm(latest)
	ch.clock.read(c, ref, sealedSummary)
	if !kept {
		ch.put(ref, c)
	}
	return c, nil
}

// ofAnotherHost reports whether a record that aad does not open belongs to another public host. Only a visitor who
// moves the cookie causes that, so it must not count as a record that nothing can open.
func (ch *cache) ofAnotherHost(ref, sealedSummary string, aad []byte) bool {
	u, err := decodeSummary(ch.store.ring, ref, []byte(sealedSummary))
	return err == nil && !bytes.HasPrefix(aad, bindingToHost(ref, u.Host))
}

// open opens a stored record. If this replica has opened an equal one with the same key, for the same host, issuer and
// client, open returns that.
func (ch *cache) open(t ticket, stored string, aad []byte) (*cached, error) {
	fingerprint := maphash.String(ch.seed, stored)
	known, ok := ch.sessions.GetIfPresent(t.ref())
	if ok && known.fingerprint == fingerprint && known.key == t.key && bytes.Equal(aad, known.aad) {
		return known, nil
	}
	s, version, err := decodeRecord(ch.store.ring, t, []byte(stored), aad)
	if err != nil {
		return nil, err
	}
	ch.store.metrics.size.Observe(float64(len(stored)))
	return &cached{session: s, key: t.key, aad: aad, version: version, fingerprint: fingerprint}, nil
}
