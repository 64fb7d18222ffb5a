package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/seal"
)

// Queued is an entry as read from the stream.
type Queued struct {
	ID    string
	at    time.Time
	count int64
	entry Entry
	State State
	Err   error // the entry cannot be decrypted, or not be decoded
}

// readCount is the number of entries that are read at once. An entry can have 256 KiB.
const readCount = 100

// After reads entries after an id and waits at most block for the first one.
func (o *Outbox) After(ctx context.Context, id string, block time.Duration) ([]Queued, error) {
	args := &redis.XReadArgs{Streams: []string{o.keys.stream, id}, Count: readCount, Block: block}
	streams, err := o.deps.Block.XRead(ctx, args).Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil || len(streams) == 0 {
		return nil, err
	}
	return o.decodeAll(streams[0].Messages), nil
}

// Existing reads entries after an id without waiting. more reports whether there may be further ones.
func (o *Outbox) Existing(ctx context.Context, id string) (list []Queued, more bool, err error) {
	messages, err := o.deps.Queue.XRangeN(ctx, o.keys.stream, "("+id, "+", readCount).Result()
	return o.decodeAll(messages), len(messages) == readCount, err
}

func (o *Outbox) decodeAll(messages []redis.XMessage) []Queued {
	list := make([]Queued, len(messages))
	for i, m := range messages {
		list[i] = o.decode(m)
	}
	return list
}

// originID returns the id under which the login was first queued.
func (q Queued) originID() string {
	if q.entry.OriginID != "" {
		return q.entry.OriginID
	}
	return q.ID
}

func (o *Outbox) decode(m redis.XMessage) Queued {
	q := Queued{ID: m.ID, at: idTime(m.ID)}
	sealed, _ := m.Values["d"].(string)
	n, _ := m.Values["n"].(string)
	q.count, _ = strconv.ParseInt(n, 10, 64)
	q.Err = o.open([]byte(sealed), &q.entry)
	return q
}

// Sealed reports whether the entry cannot be decrypted with the keys of the ring.
func (q Queued) Sealed() bool { return errors.Is(q.Err, seal.ErrOpen) }

// unreadable returns why something sealed cannot be read, for operators.
func unreadable(err error) string {
	if errors.Is(err, seal.ErrOpen) {
		return "cannot be decrypted: its key is no longer in session.keys"
	}
	return "cannot be decoded"
}

// idTime returns when Redis added the entry.
func idTime(id string) time.Time {
	ms, _ := idParts(id)
	return time.UnixMilli(ms)
}

func idParts(id string) (ms, n int64) {
	left, right, _ := strings.Cut(id, "-")
	ms, _ = strconv.ParseInt(left, 10, 64)
	n, _ = strconv.ParseInt(right, 10, 64)
	return ms, n
}

// queuedBefore reports whether entry a was queued before b.
func queuedBefore(a, b string) bool {
	ams, an := idParts(a)
	bms, bn := idParts(b)
	return ams < bms || ams == bms && an < bn
}

// States reads the states of all delayed entries.
func (o *Outbox) States(ctx context.Context) (map[string]State, error) {
	raw, err := o.deps.Queue.HGetAll(ctx, o.keys.tries).Result()
	if err != nil {
		return nil, err
	}
	all := make(map[string]State, len(raw))
	for id, text := range raw {
		var s State
		if json.Unmarshal([]byte(text), &s) == nil {
			all[id] = s
		}
	}
	return all, nil
}
