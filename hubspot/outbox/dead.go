package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// DeadPage is one page of dead letters, oldest first. Next is the cursor of the next page, "" at the end.
type DeadPage struct {
	Dead []DeadLetter `json:"dead"`
	Next string       `json:"next"`
}

// DeadLetter is a contact that HubSpot rejected for good.
type DeadLetter struct {
	ID         string            `json:"id"`
	Email      string            `json:"email"`
	Reason     string            `json:"reason"`
	Properties map[string]string `json:"properties"`
	Attempts   int               `json:"attempts"`
	FirstAt    time.Time         `json:"first_at"`
	LastAt     time.Time         `json:"last_at"`
}

// sealedLetter is a DeadLetter as sealed in Redis.
type sealedLetter struct {
	Entry      Entry             `json:"entry"`
	Count      int64             `json:"count"`
	Reason     string            `json:"reason"`
	Properties map[string]string `json:"properties"`
	Attempts   int               `json:"attempts"`
	FirstAt    time.Time         `json:"first_at"`
	LastAt     time.Time         `json:"last_at"`
	OriginID   string            `json:"made"`
}

// Dead returns at most limit dead letters (1 to 1000) after cursor ("" = from the oldest).
func (o *Outbox) Dead(ctx context.Context, cursor string, limit int) (page DeadPage, err error) {
	page.Dead = []DeadLetter{}
	page.Next, err = o.list(ctx, o.keys.dead, listing{cursor, limit}, func(messages []redis.XMessage) error {
		for _, m := range messages {
			page.Dead = append(page.Dead, o.deadLetter(m))
		}
		return nil
	})
	if err != nil && !errors.Is(err, ErrCursor) {
		err = fmt.Errorf("hubspot: read dead letters: %w", err)
	}
	return page, err
}

func (o *Outbox) deadLetter(m redis.XMessage) DeadLetter {
	l, err := o.openDeadLetter(m)
	d := DeadLetter{
		ID: m.ID, Email: l.Entry.Login.Email, Reason: l.Reason, Properties: l.Properties,
		Attempts: l.Attempts, FirstAt: l.FirstAt, LastAt: l.LastAt,
	}
	if err != nil {
		d.Reason = unreadable(err)
	}
	if d.Properties == nil {
		d.Properties = map[string]string{}
	}
	return d
}

func (o *Outbox) openDeadLetter(m redis.XMessage) (l sealedLetter, err error) {
	sealed, _ := m.Values["d"].(string)
	err = o.open([]byte(sealed), &l)
	return l, err
}

// MoveToDeadLetters acknowledges a job and adds a dead letter in the same step. An older one of the person is removed.
// The letter holds only what the mapping needs.
func (o Leased) MoveToDeadLetters(
	ctx context.Context, j *Job, reason string, properties map[string]string,
) error {
	now := o.deps.Now()
	first := now
	if j.State.First > 0 {
		first = time.UnixMilli(j.State.First)
	}
	sealed, err := o.seal(sealedLetter{
		Entry: Entry{Login: o.deps.Mapped(j.Login), Forced: j.Forced, Imported: j.Imported}, Count: j.Count,
		OriginID: j.originID, Reason: reason, Properties: properties, Attempts: j.State.Attempts + 1,
		FirstAt: first, LastAt: now,
	})
	if err != nil {
		return err
	}
	names, args := o.finishArgs(j, j.IDs, sealed, map[string]string{
		"result": "dead", "error": reason, "at": strconv.FormatInt(now.UnixMilli(), 10), "sent": "",
	})
	return o.checkLease(finishScript.Run(ctx, o.deps.Queue, names, args...))
}

// deadTTL is how long a dead letter is kept.
const deadTTL = 90 * 24 * time.Hour

// TrimDead removes dead letters that are older than deadTTL.
func (o Leased) TrimDead(ctx context.Context) error {
	oldest := strconv.FormatInt(o.deps.Now().Add(-deadTTL).UnixMilli(), 10)
	if err := o.deps.Queue.XTrimMinID(ctx, o.keys.dead, oldest).Err(); err != nil {
		return fmt.Errorf("remove old dead letters: %w", err)
	}
	return nil
}

// Drop removes dead letters for good, all of them or those with the given ids, and returns how many. Unknown ids are
// skipped.
func (o *Outbox) Drop(ctx context.Context, ids []string, all bool) (n int, err error) {
	dropped := int64(0)
	if all {
		dropped, err = o.deps.Queue.XTrimMaxLen(ctx, o.keys.dead, 0).Result()
	} else if ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !isID(id) }); len(ids) > 0 {
		dropped, err = o.deps.Queue.XDel(ctx, o.keys.dead, ids...).Result()
	}
	if err != nil {
		return 0, fmt.Errorf("hubspot: drop dead letters: %w", err)
	}
	return int(dropped), nil
}

// replayScript moves a dead letter back to the queue atomically, unless the person was forgotten: an operator must not
// miss it between both. KEYS: stream, dead letters, forget key, forgotten people. ARGV: id, entry, number of logins,
// and those of a markedScript.
var replayScript = redis.NewScript(`
if ARGV[4] ~= '*' then
  local key = redis.call('GET', KEYS[3]) or ''
  if key ~= ARGV[4] then return key end
  if key ~= '' and redis.call('SISMEMBER', KEYS[4], ARGV[5]) == 1 then return -1 end
end
if redis.call('XDEL', KEYS[2], ARGV[1]) == 0 then return 0 end
redis.call('XADD', KEYS[1], '*', 'd', ARGV[2], 'n', ARGV[3])
return 1
`)

// Replay queues dead letters again, all of them or those with the given ids, and returns how many. Unknown ids and
// forgotten people are skipped.
func (o *Outbox) Replay(ctx context.Context, ids []string, all bool) (int, error) {
	if all {
		return o.replayAll(ctx)
	}
	n := 0
	for _, id := range ids {
		if !isID(id) {
			continue
		}
		messages, err := o.deps.Queue.XRange(ctx, o.keys.dead, id, id).Result()
		if err != nil {
			return n, fmt.Errorf("hubspot: replay: %w", err)
		}
		done, err := o.replay(ctx, messages)
		if n += done; err != nil {
			return n, err
		}
	}
	return n, nil
}

// replayAll stops at the dead letters that existed when it began, so that one that fails again at once is not replayed
// forever.
func (o *Outbox) replayAll(ctx context.Context) (int, error) {
	newest, err := o.deps.Queue.XRevRangeN(ctx, o.keys.dead, "+", "-", 1).Result()
	if err != nil || len(newest) == 0 {
		return 0, err
	}
	n, from := 0, "-"
	for {
		messages, err := o.deps.Queue.XRangeN(ctx, o.keys.dead, from, newest[0].ID, streamPage).Result()
		if err != nil {
			return n, fmt.Errorf("hubspot: replay: %w", err)
		}
		if len(messages) == 0 {
			return n, nil
		}
		done, err := o.replay(ctx, messages)
		if n += done; err != nil {
			return n, err
		}
		from = "(" + messages[len(messages)-1].ID
	}
}

func (o *Outbox) replay(ctx context.Context, messages []redis.XMessage) (n int, err error) {
	for _, m := range messages {
		l, err := o.openDeadLetter(m)
		if err != nil {
			continue // its key is no longer in the ring; it stays a dead letter
		}
		l.Entry.OriginID = l.OriginID
		sealed, err := o.seal(l.Entry)
		if err != nil {
			return n, err
		}
		names := []string{o.keys.stream, o.keys.dead, o.keys.forgetKey, o.keys.forgotten}
		moved, err := o.runMarked(ctx, markedScript{replayScript, l.Entry.Login.Email, names, []any{m.ID, sealed, l.Count}})
		if err != nil {
			return n, fmt.Errorf("hubspot: replay: %w", err)
		}
		n += int(max(moved, 0))
	}
	return n, nil
}
