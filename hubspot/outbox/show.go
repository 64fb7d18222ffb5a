package outbox

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// PersonData is what Redis holds about the people with an address, in the clear.
type PersonData struct {
	Queue      []PersonEntry   `json:"queue"`
	Dead       []DeadLetter    `json:"dead"`
	Records    []PersonRecord  `json:"records"`
	LastLogins []Login         `json:"last_logins"`
	Browsers   []PersonBrowser `json:"browsers"`
	Unreadable int             `json:"unreadable"` // entries and dead letters, of anybody
}

// PersonEntry is an entry of the queue with its login.
type PersonEntry struct {
	QueueEntry
	Login Login `json:"login"`
}

// PersonRecord is the record of a person between logins.
type PersonRecord struct {
	SyncResult
	Logins    int64     `json:"logins"`
	ExpiresAt time.Time `json:"expires_at"`
}

// PersonBrowser is a browser that is bound to a person. Its cookie is not known any more.
type PersonBrowser struct {
	Submitted bool      `json:"submitted"` // the browser's history is linked to the contact
	ExpiresAt time.Time `json:"expires_at"`
}

// Show returns what was found.
func (h *Holdings) Show(ctx context.Context) (p PersonData, err error) {
	p = PersonData{
		Queue: []PersonEntry{}, Dead: []DeadLetter{}, Records: []PersonRecord{}, LastLogins: []Login{},
		Browsers: []PersonBrowser{}, Unreadable: h.unreadable,
	}
	names := slices.Sorted(maps.Keys(h.names))
	for _, step := range []func() error{
		func() error { return h.showQueue(ctx, &p) },
		func() error { return h.showDead(ctx, &p) },
		func() error { return h.showRecords(ctx, names, &p) },
		func() error { return h.showBrowsers(ctx, &p) },
	} {
		if err := step(); err != nil {
			return p, fmt.Errorf("hubspot: read what is known about a person: %w", err)
		}
	}
	return p, nil
}

func (h *Holdings) showQueue(ctx context.Context, p *PersonData) error {
	entries, err := h.reread(ctx, h.o.keys.stream, h.entries)
	if err != nil {
		return err
	}
	states, inFlight, err := h.o.statesOf(ctx, entries)
	if err != nil {
		return err
	}
	for i, m := range entries {
		q := h.o.decode(m)
		if q.entry.Waiting { // there is no login in it
			continue
		}
		entry := PersonEntry{QueueEntry: h.o.queueEntry(m, states[i], inFlight[i]), Login: q.entry.Login}
		p.Queue = append(p.Queue, entry)
	}
	return nil
}

func (h *Holdings) showDead(ctx context.Context, p *PersonData) error {
	letters, err := h.reread(ctx, h.o.keys.dead, h.letters)
	for _, m := range letters {
		p.Dead = append(p.Dead, h.o.deadLetter(m))
	}
	return err
}

// reread reads the messages that Find found. Those that are gone meanwhile are left out.
func (h *Holdings) reread(
	ctx context.Context, stream string, found []redis.XMessage,
) (list []redis.XMessage, err error) {
	for _, m := range found {
		again, err := h.o.deps.Queue.XRangeN(ctx, stream, m.ID, m.ID, 1).Result()
		if err != nil {
			return nil, err
		}
		list = append(list, again...)
	}
	return list, nil
}

func (h *Holdings) showRecords(ctx context.Context, names []string, p *PersonData) error {
	for _, name := range names {
		key := h.o.keys.person + name
		fields, err := h.o.deps.Queue.HGetAll(ctx, key).Result()
		if err != nil {
			return err
		}
		if len(fields) > 0 {
			record := PersonRecord{SyncResult: syncResult(fields)}
			record.Logins, _ = strconv.ParseInt(fields["n"], 10, 64)
			if record.ExpiresAt, err = h.expiry(ctx, key); err != nil {
				return err
			}
			p.Records = append(p.Records, record)
		}
		last, known, err := h.o.readLast(ctx, h.o.keys.last+name)
		if err != nil {
			return err
		}
		if known {
			p.LastLogins = append(p.LastLogins, last)
		}
	}
	return nil
}

func (h *Holdings) showBrowsers(ctx context.Context, p *PersonData) error {
	for _, key := range slices.Sorted(maps.Keys(h.browser)) {
		expires, err := h.expiry(ctx, key)
		if err != nil {
			return err
		}
		p.Browsers = append(p.Browsers, PersonBrowser{Submitted: h.browser[key], ExpiresAt: expires})
	}
	return nil
}

// expiry returns when Redis removes a key, or zero for never.
func (h *Holdings) expiry(ctx context.Context, key string) (time.Time, error) {
	left, err := h.o.deps.Queue.PTTL(ctx, key).Result()
	if err != nil || left <= 0 {
		return time.Time{}, err
	}
	return h.o.deps.Now().Add(left).UTC().Truncate(time.Second), nil
}
