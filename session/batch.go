package session

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/background"
)

// readBatcher reads sessions for many requests at the same time in one round trip. With cache_ttl none, the round trip
// is most of what a request costs. A single request does not wait for others.
type readBatcher struct {
	rdb     redis.UniversalClient
	mu      sync.Mutex
	waiting []*sessionRead
	senders int
}

// sessionRead is one request's read: a record and its summary.
type sessionRead struct {
	ctx    context.Context
	keys   [2]string
	done   chan struct{}
	values [2]string
	err    error
}

// errNoAnswer means that there was no reply; the session may exist.
var errNoAnswer = errors.New("session: no reply from redis")

// maxSenders bounds the concurrent round trips. With only one, a hanging Redis would delay its errors one after the
// other, and it would take longer to detect that it is unavailable.
const maxSenders = 4

// get returns a record and a summary. A value is empty if its key is absent or of another type.
func (b *readBatcher) get(ctx context.Context, record, summary string) (values [2]string, err error) {
	r := &sessionRead{ctx: ctx, keys: [2]string{record, summary}, done: make(chan struct{})}
	b.mu.Lock()
	b.waiting = append(b.waiting, r)
	send := b.senders < maxSenders
	if send {
		b.senders++
	}
	b.mu.Unlock()
	if send {
		go b.run()
	}
	select {
	case <-r.done:
		return r.values, r.err
	case <-ctx.Done():
		return values, ctx.Err()
	}
}

// run sends the waiting reads. After a panic the requests of that batch end by their own timeout.
func (b *readBatcher) run() {
	if background.Catch(b.send) != nil {
		b.mu.Lock()
		b.senders--
		b.mu.Unlock()
	}
}

// send sends batches until no read is waiting.
func (b *readBatcher) send() {
	for {
		runtime.Gosched() // lets goroutines that can run now add their reads to this batch
		b.mu.Lock()
		batch := b.waiting
		b.waiting = nil
		if len(batch) == 0 {
			b.senders--
			b.mu.Unlock()
			return
		}
		b.mu.Unlock()
		b.exchange(batch)
	}
}

func (b *readBatcher) exchange(batch []*sessionRead) {
	ctx, cancel := detached(batch[0].ctx)
	defer cancel()
	pipe := b.rdb.Pipeline()
	replies := make([][2]*redis.Cmd, len(batch))
	for i, r := range batch {
		for k, key := range r.keys {
			replies[i][k] = getBounded(ctx, pipe, key)
		}
	}
	_, err := pipe.Exec(ctx)
	for i, r := range batch {
		for k := range r.keys {
			if r.values[k], r.err = textOf(replies[i][k], err); r.err != nil {
				break
			}
		}
		close(r.done)
	}
}

// getBounded requests the beginning of a string, one byte more than hubgate ever writes, so that a longer value is
// detected. Otherwise anyone who can write to Redis could fill the memory of every replica that reads it (CWE-770).
func getBounded(ctx context.Context, rdb interface {
	Do(ctx context.Context, args ...any) *redis.Cmd
}, key string) *redis.Cmd {
	return rdb.Do(ctx, "getrange", key, 0, maxStored)
}

// textOf returns the reply of getBounded: empty for a key that is absent or of another type. failure is the error of
// the whole pipeline, if any: go-redis leaves the commands without an error when it finds no connection.
func textOf(reply *redis.Cmd, failure error) (string, error) {
	found, err := reply.Result()
	value, replied := found.(string)
	switch {
	case isWrongType(err):
		return "", nil
	case err != nil:
		return "", err
	case !replied:
		return "", errors.Join(errNoAnswer, failure)
	}
	return value, nil
}
