package hubspot

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/redis/go-redis/v9"
)

// ErrEmail means that the argument is not a valid e-mail address.
var ErrEmail = errors.New("hubspot: not an e-mail address")

// ErrOff means that contact sync is off, so nothing in the queue would be sent.
var ErrOff = errors.New("hubspot: contact sync is off")

// replayScript moves a dead letter back to the queue atomically.
var replayScript = redis.NewScript(`
if redis.call('XDEL', KEYS[2], ARGV[1]) == 0 then return 0 end
redis.call('XADD', KEYS[1], '*', 'd', ARGV[2], 'n', ARGV[3])
return 1
`)

// Replay queues dead letters again, all of them or those with the given ids, and returns how many. Unknown ids are
// skipped.
func (c *Contacts) Replay(ctx context.Context, ids []string, all bool) (int, error) {
	if all {
		return c.replayAll(ctx)
	}
	n := 0
	for _, id := range ids {
		if !isID(id) {
			continue
		}
		messages, err := c.deps.Queue.XRange(ctx, c.outbox.keys.dead, id, id).Result()
		if err != nil {
			return n, fmt.Errorf("hubspot: replay: %w", err)
		}
		done, err := c.replay(ctx, messages)
		if n += done; err != nil {
			return n, err
		}
	}
	return n, nil
}

// replayAll stops at the dead letters that existed when it began, so that one that fails again at once is not replayed
// forever.
func (c *Contacts) replayAll(ctx context.Context) (int, error) {
	newest, err := c.deps.Queue.XRevRangeN(ctx, c.outbox.keys.dead, "+", "-", 1).Result()
	if err != nil || len(newest) == 0 {
		return 0, err
	}
	n, from := 0, "-"
	for {
		messages, err := c.deps.Queue.XRangeN(ctx, c.outbox.keys.dead, from, newest[0].ID, 500).Result()
		if err != nil {
			return n, fmt.Errorf("hubspot: replay: %w", err)
		}
		if len(messages) == 0 {
			return n, nil
		}
		done, err := c.replay(ctx, messages)
		if n += done; err != nil {
			return n, err
		}
		from = "(" + messages[len(messages)-1].ID
	}
}

func (c *Contacts) replay(ctx context.Context, messages []redis.XMessage) (n int, err error) {
	for _, m := range messages {
		l, err := c.openDeadLetter(m)
		if err != nil {
			continue // its key is no longer in the ring; it stays a dead letter
		}
		l.Entry.OriginID = l.OriginID
		sealed, err := c.outbox.seal(l.Entry)
		if err != nil {
			return n, err
		}
		keys := []string{c.outbox.keys.stream, c.outbox.keys.dead}
		moved, err := replayScript.Run(ctx, c.deps.Queue, keys, m.ID, sealed, l.Count).Int()
		if err != nil {
			return n, fmt.Errorf("hubspot: replay: %w", err)
		}
		n += moved
	}
	return n, nil
}

// Send queues the contact of an e-mail address, regardless of min_interval. If a login of this person is pending, it is
// sent now and known is true. If not, the contact is created or updated with the constants of the mapping: nothing else
// about a person is stored between logins. It returns ErrEmail if the address is not valid and ErrOff if contact sync
// is off.
func (c *Contacts) Send(ctx context.Context, email string) (known bool, err error) {
	if !crm.ValidEmail(email) {
		return false, ErrEmail
	}
	if !c.live.Load().on() {
		return false, ErrOff
	}
	ctx, cancel := context.WithTimeout(ctx, enqueueTimeout)
	defer cancel()
	if known, err = c.isQueued(ctx, crm.EmailKey(email)); err != nil {
		return false, err
	}
	if err := c.outbox.add(ctx, entry{Login: Login{Email: crm.EmailKey(email)}, Forced: true}); err != nil {
		return false, fmt.Errorf("hubspot: queue a contact: %w", err)
	}
	return known, nil
}

// LastSync returns how a person's contact was last sent.
func (c *Contacts) LastSync(ctx context.Context, issuer, subject string) (SyncResult, error) {
	name := c.outbox.personKeys(Login{Issuer: issuer, Subject: subject})[0]
	v, err := c.deps.Queue.HMGet(ctx, name, "at", "result", "error", "cid", "n").Result()
	if err != nil {
		return SyncResult{}, fmt.Errorf("hubspot: read last sync: %w", err)
	}
	word := func(i int) string { s, _ := v[i].(string); return s }
	r := SyncResult{Result: word(1), Error: word(2), ContactID: word(3)}
	if ms, err := strconv.ParseInt(word(0), 10, 64); err == nil {
		r.At = time.UnixMilli(ms).UTC()
	}
	r.Queued = r.At.IsZero() && word(4) != ""
	return r, nil
}

// Preview returns what would be written for a login, by property, and why some properties would not be written.
func (c *Contacts) Preview(l Login) []PreviewItem {
	var known crm.Schema
	if s := c.known.Load(); s != nil {
		known = *s
	}
	m := c.live.Load().mapping
	items := m.values(l, 0, known)
	if reason := m.skip(l); reason != "" {
		for i := range items {
			items[i].Dropped = reason
		}
	}
	return items
}
