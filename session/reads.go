package session

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/background"
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
	values [2]string
	err    error
}

// errNoAnswer: Redis said nothing, which is no word about the session.
var errNoAnswer = errors.New("session: redis gave no answer")

// maxSenders bounds the round trips under way. With one only, a Redis that hangs would show its failures one after the other, and it
// would take longer to see that it is away.
const maxSenders = 4

// get asks for two keys. An absent one, or one of another type, is empty.
func (rs *reads) get(ctx context.Context, record, summary string) (values [2]string, err error) {
	r := &reading{ctx: ctx, keys: [2]string{record, summary}, done: make(chan struct{})}
	rs.mu.Lock()
	rs.waiting = append(rs.waiting, r)
	send := rs.senders < maxSenders
	if send {
		rs.senders++
	}
	rs.mu.Unlock()
	if send {
		go rs.run()
	}
	select {
	case <-r.done:
		return r.values, r.err
	case <-ctx.Done():
		return values, ctx.Err()
	}
}

// run sends what waits. A panic of it ends the requests of one batch by their own time limit, not the process.
func (rs *reads) run() {
	if background.Catch(rs.send) != nil {
		rs.mu.Lock()
		rs.senders--
		rs.mu.Unlock()
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
	answers := make([][2]*redis.Cmd, len(batch))
	for i, r := range batch {
		for k, key := range r.keys {
			answers[i][k] = getBounded(ctx, pipe, key)
		}
	}
	_, err := pipe.Exec(ctx)
	for i, r := range batch {
		for k := range r.keys {
			if r.values[k], r.err = bounded(answers[i][k], err); r.err != nil {
				break
			}
		}
		close(r.done)
	}
}

// getBounded asks for the beginning of a string; one byte more than any value of ours has shows that it is longer.
// Whoever can write to Redis could otherwise fill the memory of every replica that reads it (CWE-770).
func getBounded(ctx context.Context, rdb interface {
	Do(ctx context.Context, args ...any) *redis.Cmd
}, key string) *redis.Cmd {
	return rdb.Do(ctx, "getrange", key, 0, maxStored)
}

// bounded is what getBounded found: nothing for a key that is absent, of another type, or too large. failure is the
// error of the whole pipeline, or nil: one that found no connection leaves its commands without an error.
func bounded(answer *redis.Cmd, failure error) (string, error) {
	found, err := answer.Result()
	value, answered := found.(string)
	switch {
	case isWrongType(err):
		return "", nil
	case err != nil:
		return "", err
	case !answered:
		return "", errors.Join(errNoAnswer, failure)
	}
	return value, nil
}
