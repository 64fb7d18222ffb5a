package redisread

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/background"
)

// Batcher reads pairs of values for many requests at the same time in one round trip. A single request does not wait
// for others.
type Batcher struct {
	Redis   redis.UniversalClient
	Max     int           // bytes of a value
	Timeout time.Duration // bounds a round trip

	mu      sync.Mutex
	waiting []*read
	senders int
}

// read is one request's read of two values.
type read struct {
	ctx    context.Context
	keys   [2]string
	done   chan struct{}
	values [2]string
	err    error
}

// maxSenders bounds the concurrent round trips. With only one, a hanging Redis would delay its errors one after the
// other, and it would take longer to detect that it is unavailable.
const maxSenders = 4

// Get returns the values of two keys. A value is empty if its key is absent or of another type.
func (b *Batcher) Get(ctx context.Context, first, second string) (values [2]string, err error) {
	r := &read{ctx: ctx, keys: [2]string{first, second}, done: make(chan struct{})}
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
func (b *Batcher) run() {
	if background.Catch(b.send) != nil {
		b.mu.Lock()
		b.senders--
		b.mu.Unlock()
	}
}

// send sends batches until no read is waiting.
func (b *Batcher) send() {
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

func (b *Batcher) exchange(batch []*read) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(batch[0].ctx), b.Timeout)
	defer cancel()
	pipe := b.Redis.Pipeline()
	replies := make([][2]*redis.Cmd, len(batch))
	for i, r := range batch {
		for k, key := range r.keys {
			replies[i][k] = Request(ctx, pipe, key, b.Max)
		}
	}
	_, err := pipe.Exec(ctx)
	for i, r := range batch {
		for k := range r.keys {
			if r.values[k], r.err = Text(replies[i][k], err); r.err != nil {
				break
			}
		}
		close(r.done)
	}
}
