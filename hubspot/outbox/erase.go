package outbox

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/redis/go-redis/v9"
)

// Removed is how much Erase removed.
type Removed struct {
	Entries    int `json:"entries"`
	Dead       int `json:"dead"`
	Records    int `json:"records"`
	LastLogins int `json:"last_logins"`
	Browsers   int `json:"browsers"`
	Unreadable int `json:"unreadable"` // entries and dead letters that stay, because they cannot be read
}

// Erase removes what was found. What leads to other things is removed after them, so that a repetition after a crash
// finds the rest: the record leads to the browsers, and the index to the record.
func (h *Holdings) Erase(ctx context.Context) (r Removed, err error) {
	r.Unreadable = h.unreadable
	steps := []func(context.Context) error{
		func(ctx context.Context) error { r.Browsers, err = h.EraseBrowsers(ctx); return err },
		func(ctx context.Context) error { r.Entries, err = h.removeEntries(ctx); return err },
		func(ctx context.Context) error {
			r.Dead, err = h.removeMessages(ctx, h.o.keys.dead, h.letters)
			return err
		},
		func(ctx context.Context) error { r.LastLogins, err = h.delete(ctx, h.named(h.o.keys.last)); return err },
		h.leaveIndex,
		func(ctx context.Context) error { r.Records, err = h.delete(ctx, h.named(h.o.keys.person)); return err },
		func(ctx context.Context) error { _, err := h.delete(ctx, h.o.indexKeys(h.email)); return err },
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return r, fmt.Errorf("hubspot: erase a person: %w", err)
		}
	}
	return r, nil
}

// EraseBrowsers removes only the bindings of browsers, and returns how many.
func (h *Holdings) EraseBrowsers(ctx context.Context) (int, error) {
	return h.delete(ctx, slices.Collect(maps.Keys(h.browser)))
}

// named returns the keys of the people with a prefix.
func (h *Holdings) named(prefix string) (keys []string) {
	for name := range h.names {
		keys = append(keys, prefix+name)
	}
	return keys
}

// delete deletes keys and returns how many existed.
func (h *Holdings) delete(ctx context.Context, keys []string) (n int, err error) {
	for chunk := range slices.Chunk(keys, streamPage) {
		deleted, err := h.o.deps.Queue.Del(ctx, chunk...).Result()
		if n += int(deleted); err != nil {
			return n, err
		}
	}
	return n, nil
}

// removeEntries removes the entries of the queue and their states. The states come first: without its entry nothing
// would lead to a state.
func (h *Holdings) removeEntries(ctx context.Context) (int, error) {
	for chunk := range slices.Chunk(h.entries, streamPage) {
		ids := idsOf(chunk)
		members := make([]any, len(ids))
		for i, id := range ids {
			members[i] = id
		}
		pipe := h.o.deps.Queue.Pipeline()
		pipe.HDel(ctx, h.o.keys.tries, ids...)
		pipe.ZRem(ctx, h.o.keys.due, members...)
		pipe.ZRem(ctx, h.o.keys.held, members...)
		if _, err := pipe.Exec(ctx); err != nil {
			return 0, err
		}
	}
	return h.removeMessages(ctx, h.o.keys.stream, h.entries)
}

func (h *Holdings) removeMessages(ctx context.Context, stream string, messages []redis.XMessage) (n int, err error) {
	for chunk := range slices.Chunk(messages, streamPage) {
		removed, err := h.o.deps.Queue.XDel(ctx, stream, idsOf(chunk)...).Result()
		if n += int(removed); err != nil {
			return n, err
		}
	}
	return n, nil
}

func idsOf(messages []redis.XMessage) []string {
	ids := make([]string, len(messages))
	for i, m := range messages {
		ids[i] = m.ID
	}
	return ids
}

// leaveIndex removes the people from the index of every address that they had.
func (h *Holdings) leaveIndex(ctx context.Context) error {
	names := slices.Collect(maps.Keys(h.names))
	if len(names) == 0 {
		return nil
	}
	own := h.o.indexKeys(h.email)
	return h.o.scan(ctx, h.o.keys.index, func(keys []string) error {
		pipe := h.o.deps.Queue.Pipeline()
		for _, key := range keys {
			if !slices.Contains(own, key) {
				pipe.HDel(ctx, key, names...)
			}
		}
		_, err := pipe.Exec(ctx)
		return err
	})
}

// DropForgotten removes the job of a forgotten person from the queue, and what was written with its entries: a file or
// a replica of an earlier version may have added them after Erase. The entries lead to the rest and come last.
func (o Leased) DropForgotten(ctx context.Context, j *Job) error {
	keys := slices.Concat(o.personKeys(j.Login), o.lastKeys(j.Login), o.indexKeys(j.Login.Email))
	if err := o.deps.Queue.Del(ctx, keys...).Err(); err != nil {
		return err
	}
	return o.Finish(ctx, j, nil)
}

// Sending reports whether the lease holder may be sending a contact of the people, so that it could write about them
// once more. It ends when the batch is settled; a batch without a lease holder is not sent.
func (h *Holdings) Sending(ctx context.Context) (bool, error) {
	o := h.o
	holders, err := o.deps.Queue.Exists(ctx, o.keys.lease).Result()
	if err != nil || holders == 0 {
		return false, err
	}
	ids, err := o.deps.Queue.SMembers(ctx, o.keys.inFlight).Result()
	if err != nil {
		return false, err
	}
	ours := idsOf(h.entries)
	for _, id := range ids {
		if slices.Contains(ours, id) {
			return true, nil
		}
		messages, err := o.deps.Queue.XRangeN(ctx, o.keys.stream, id, id, 1).Result()
		if err != nil {
			return false, err
		}
		if len(messages) == 0 { // settled, and perhaps theirs: its batch is not over
			return true, nil
		}
	}
	return false, nil
}
