package hubspot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Status is the state of the queue for operators.
type Status struct {
	Queued             int64              `json:"queued"`
	Delayed            int64              `json:"delayed"`
	InFlight           int64              `json:"in_flight"`
	OldestSeconds      float64            `json:"oldest_seconds"`
	Dead               int64              `json:"dead"`
	PausedUntil        *time.Time         `json:"paused_until"` // nil if calls are not paused
	RejectedProperties []RejectedProperty `json:"rejected_properties"`
}

// RejectedProperty is a property that HubSpot rejected and that was left out.
type RejectedProperty struct {
	Property string    `json:"property"`
	Reason   string    `json:"reason"`
	Count    int64     `json:"count"`
	LastAt   time.Time `json:"last_at"`
}

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

// SyncResult is the result of the last sync of a person's contact.
type SyncResult struct {
	At        time.Time `json:"at"` // zero if never sent
	Result    string    `json:"result"`
	Error     string    `json:"error,omitempty"`
	ContactID string    `json:"contact_id,omitempty"`
	Queued    bool      `json:"queued"` // a login of this person is pending
}

// PreviewItem is what would be written into one property.
type PreviewItem struct {
	Property string `json:"property"`
	Value    string `json:"value"`
	Source   string `json:"source"`            // claim NAME, value NAME or constant
	Write    string `json:"write"`             // always | if_empty | create_only
	Dropped  string `json:"dropped,omitempty"` // why nothing would be written
}

// deadLetter is a DeadLetter as sealed in Redis.
type deadLetter struct {
	Entry      entry             `json:"entry"`
	Count      int64             `json:"count"`
	Reason     string            `json:"reason"`
	Properties map[string]string `json:"properties"`
	Attempts   int               `json:"attempts"`
	FirstAt    time.Time         `json:"first_at"`
	LastAt     time.Time         `json:"last_at"`
	OriginID   string            `json:"made"`
}

// Status reads the state of the queue. Queued, Delayed and InFlight are disjoint.
func (c *Contacts) Status(ctx context.Context) (Status, error) {
	k := c.outbox.keys
	pipe := c.deps.Queue.Pipeline()
	length, delayed, dead := pipe.XLen(ctx, k.stream), pipe.ZCard(ctx, k.due), pipe.XLen(ctx, k.dead)
	inFlight, pause, rejected := pipe.SCard(ctx, k.inFlight), pipe.PTTL(ctx, k.pause), pipe.HGetAll(ctx, k.rejected)
	first, noted := pipe.XRangeN(ctx, k.stream, "-", "+", 1), pipe.Get(ctx, k.oldest)
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return Status{}, fmt.Errorf("hubspot: read the queue status: %w", err)
	}
	s := Status{
		Delayed: min(delayed.Val(), length.Val()), Dead: dead.Val(),
		RejectedProperties: rejectedProperties(rejected.Val()),
	}
	s.InFlight = min(inFlight.Val(), length.Val()-s.Delayed)
	s.Queued = length.Val() - s.Delayed - s.InFlight
	if d := pause.Val(); d > 0 {
		until := c.deps.Now().Add(d).UTC()
		s.PausedUntil = &until
	}
	if oldest := c.oldest(noted, first.Val()); length.Val() > 0 && !oldest.IsZero() {
		s.OldestSeconds = max(0, c.deps.Now().Sub(oldest).Seconds())
	}
	return s, nil
}

// oldest returns when the oldest entry was queued that is waiting to be sent. The lease holder, which ignores held
// entries, saves it in Redis; without a holder it is the first entry.
func (c *Contacts) oldest(noted *redis.StringCmd, first []redis.XMessage) time.Time {
	if ms, err := noted.Int64(); err == nil {
		if ms == 0 {
			return time.Time{}
		}
		return time.UnixMilli(ms)
	}
	if len(first) == 0 {
		return time.Time{}
	}
	return idTime(first[0].ID)
}

func rejectedProperties(fields map[string]string) []RejectedProperty {
	list := []RejectedProperty{}
	for field, value := range fields {
		name, found := strings.CutSuffix(field, "|count")
		if !found {
			continue
		}
		count, _ := strconv.ParseInt(value, 10, 64)
		ms, _ := strconv.ParseInt(fields[name+"|at"], 10, 64)
		list = append(list, RejectedProperty{
			Property: name, Reason: fields[name+"|reason"], Count: count, LastAt: time.UnixMilli(ms).UTC(),
		})
	}
	slices.SortFunc(list, func(a, b RejectedProperty) int { return strings.Compare(a.Property, b.Property) })
	return list
}

// ErrCursor means that a cursor does not come from a listing.
var ErrCursor = errors.New("hubspot: not a cursor")

// isID reports whether text is an id of a Redis stream: two 64-bit numbers.
func isID(text string) bool {
	ms, seq, ok := strings.Cut(text, "-")
	return ok && isNumber(ms) && isNumber(seq)
}

const lastNumber = "18446744073709551615"

func isNumber(text string) bool {
	_, err := strconv.ParseUint(text, 10, 64)
	return err == nil && len(text) <= len(lastNumber)
}

// rangeStart returns the start of a page in Redis' syntax.
func rangeStart(cursor string) (string, error) {
	switch {
	case cursor == "":
		return "-", nil
	case !isID(cursor):
		return "", ErrCursor
	case cursor == lastNumber+"-"+lastNumber:
		return cursor, nil // Redis rejects an exclusive range after the largest id
	}
	return "(" + cursor, nil
}

// Dead returns at most limit dead letters (1 to 1000) after cursor ("" = from the oldest).
func (c *Contacts) Dead(ctx context.Context, cursor string, limit int) (DeadPage, error) {
	limit = min(max(limit, 1), 1000)
	from, err := rangeStart(cursor)
	if err != nil {
		return DeadPage{}, err
	}
	messages, err := c.deps.Queue.XRangeN(ctx, c.outbox.keys.dead, from, "+", int64(limit)+1).Result()
	if err != nil {
		return DeadPage{}, fmt.Errorf("hubspot: read dead letters: %w", err)
	}
	page := DeadPage{Dead: []DeadLetter{}}
	if len(messages) > limit {
		messages = messages[:limit]
		page.Next = messages[limit-1].ID
	}
	for _, m := range messages {
		l, err := c.openDeadLetter(m)
		d := DeadLetter{
			ID: m.ID, Email: l.Entry.Login.Email, Reason: l.Reason, Properties: l.Properties,
			Attempts: l.Attempts, FirstAt: l.FirstAt, LastAt: l.LastAt,
		}
		if err != nil {
			d.Reason = "cannot be decrypted: its key is no longer in session.keys"
		}
		if d.Properties == nil {
			d.Properties = map[string]string{}
		}
		page.Dead = append(page.Dead, d)
	}
	return page, nil
}

func (c *Contacts) openDeadLetter(m redis.XMessage) (l deadLetter, err error) {
	sealed, _ := m.Values["d"].(string)
	err = c.outbox.open([]byte(sealed), &l)
	return l, err
}
