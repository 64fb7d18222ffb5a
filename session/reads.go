package session

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"github.com/redis/go-redis/v9"
)

// reads sends what many requests ask Redis at the same moment in one round trip: with cache_ttl none the round trip is most of what a
// request costs. A request that is alone does not wait for others.
type reads struct {
	rdb     redis.UniversalClient
	mu      sync.Mutex
	waiting []*reading
	senders int
}

// reading is one request's question: a record and its summary.
type reading struct {
	ctx    context.Context
	keys   [2]string
	done   chan struct{}
	values []any
	err    error
}

// errNoAnswer: Redis said nothing, which is no word about the session.
var errNoAnswer = errors.New("session: redis gave no answer")

// maxSenders bounds the round trips under way. With one only, a Redis that hangs would show its failures one after the other, and it
// would take longer to see that it is away.
const maxSenders = 4

// get asks for two keys of one slot. An absent one is nil.
func (rs *reads) get(ctx context.Context, record, summary string) ([]any, error) {
	r := &reading{ctx: ctx, keys: [2]string{record, summary}, done: make(chan struct{})}
	rs.mu.Lock()
	rs.waiting = append(rs.waiting, r)
	send := rs.senders < maxSenders
	if send {
		rs.senders++
	}
	rs.mu.Unlock()
	if send {
		go rs.send()
	}
	select {
	case <-r.done:
		return r.values, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// send sends what waits until nothing does.
func (rs *reads) send() {
	for {
		runtime.Gosched() // whoever can run now and has a question asks it before this one goes
		rs.mu.Lock()
		batch := rs.waiting
		rs.waiting = nil
		if len(batch) == 0 {
			rs.senders--
			rs.mu.Unlock()
			return
		}
		rs.mu.Unlock()
		rs.exchange(batch)
	}
}

func (rs *reads) exchange(batch []*reading) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(batch[0].ctx), storeTime)
	defer cancel()
	pipe := rs.rdb.Pipeline()
	answers := make([]*redis.SliceCmd, len(batch))
	for i, r := range batch {
		answers[i] = pipe.MGet(ctx, r.keys[0], r.keys[1])
	}
	_, err := pipe.Exec(ctx)
	for i, r := range batch {
		r.values, r.err = answers[i].Result()
		if r.err == nil && len(r.values) != len(r.keys) { // a pipeline that found no connection leaves its commands without an error
			r.err = errors.Join(errNoAnswer, err)
		}
		close(r.done)
	}
}
