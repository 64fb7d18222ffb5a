package access

import (
	"slices"
	"sync"
	"time"
)

// ask is a person who is to be read, for everyone who wants it.
type ask struct {
	person   person
	queued   time.Time     // when it was first wanted
	waitedAt time.Time     // when a visitor first waited for it; zero = it is read in the background
	alone    bool          // it is read without others
	claimed  bool          // other replicas leave it to this one
	done     chan struct{} // closed when the read has ended, with or without an answer
}

// queue is who is to be read: people for whom a visitor waits, and the others. Each person is in it once, until the
// read has ended.
type queue struct {
	mu         sync.Mutex
	all        map[string]*ask // including those that are being read
	waiting    []*ask
	background []*ask
	ready      chan struct{} // receives a value when a visitor waits
	gathering  chan struct{} // receives a value when someone is queued for whom none waits
	now        func() time.Time
}

// maxQueued bounds the memory, and the time that a visitor could wait in vain.
const maxQueued = 20_000

func newQueue(now func() time.Time) *queue {
	return &queue{
		all: map[string]*ask{}, ready: make(chan struct{}, 1), gathering: make(chan struct{}, 1), now: now,
	}
}

// add queues a person to be read in the background.
func (q *queue) add(p person, alone bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.all[p.name()] == nil && len(q.all) < maxQueued {
		q.background = append(q.background, q.insert(p, alone))
		signal(q.gathering)
	}
}

// wait queues a person for whom a visitor waits, before those for whom none does, and returns until when the visitor
// may wait. It returns nil if the queue is full.
func (q *queue) wait(p person, alone bool) (a *ask, until time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	a = q.all[p.name()]
	if a == nil && len(q.all) >= maxQueued {
		return nil, time.Time{}
	}
	if a == nil {
		a = q.insert(p, alone)
		q.background = append(q.background, a)
	}
	if a.waitedAt.IsZero() {
		a.waitedAt = q.now()
		if at := slices.Index(q.background, a); at >= 0 { // else it is being read
			q.background = slices.Delete(q.background, at, at+1)
			q.waiting = append(q.waiting, a)
		}
	}
	q.wake()
	return a, a.waitedAt.Add(longestWait)
}

func (q *queue) insert(p person, alone bool) *ask {
	a := &ask{person: p, queued: q.now(), alone: alone, done: make(chan struct{})}
	q.all[p.name()] = a
	return a
}

// wake starts a reader if a visitor waits.
func (q *queue) wake() {
	if len(q.waiting) > 0 {
		signal(q.ready)
	}
}

// full reports whether visitors wait for a whole batch.
func (q *queue) full() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting) >= batchSize
}

// empty reports whether the background queue is empty.
func (q *queue) empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.background) == 0
}

// due reports whether people who do not wait fill a batch, or are late: gathered for long enough, or to be read alone.
func (q *queue) due(gather time.Duration) (due, late bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.background) > 0 {
		first := q.background[0]
		late = first.alone || q.now().Sub(first.queued) >= gather
	}
	return late || len(q.background) >= batchSize, late
}

// takeWaiting takes people for whom visitors wait, and wakes the next reader if there are more.
func (q *queue) takeWaiting() (taken []*ask) {
	q.mu.Lock()
	defer q.mu.Unlock()
	taken, q.waiting = cut(q.waiting, batchSize)
	q.wake()
	return taken
}

// takeBackground takes at most n of the others. Fewer than a batch join one, so that none of them is read alone.
func (q *queue) takeBackground(n int) (taken []*ask) {
	q.mu.Lock()
	defer q.mu.Unlock()
	taken, q.background = cut(q.background, n)
	return taken
}

// cut splits a list after at most n people. Who is read alone comes without others, and only as a whole batch.
func cut(list []*ask, n int) (taken, rest []*ask) {
	if len(list) > 0 && list[0].alone {
		if n < batchSize {
			return nil, list
		}
		return list[:1:1], list[1:]
	}
	end := 0
	for end < min(n, len(list)) && !list[end].alone {
		end++
	}
	return list[:end:end], list[end:]
}

// putBack returns people to the head of the queue until their batch is full.
func (q *queue) putBack(asks []*ask) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, a := range asks {
		if !a.waitedAt.IsZero() {
			q.waiting = append(q.waiting, a)
		}
	}
	asks = slices.DeleteFunc(asks, func(a *ask) bool { return !a.waitedAt.IsZero() })
	q.background = append(asks, q.background...)
	q.wake()
}

// leave removes a person whom another replica reads, unless a visitor waits here meanwhile.
func (q *queue) leave(a *ask) (left bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !a.waitedAt.IsZero() {
		return false
	}
	q.end(a)
	return true
}

// finish ends the reads of people: visitors who wait continue.
func (q *queue) finish(asks []*ask) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, a := range asks {
		q.end(a)
	}
}

// end ends a read once.
func (q *queue) end(a *ask) {
	if q.all[a.person.name()] == a {
		delete(q.all, a.person.name())
		close(a.done)
	}
}

// clear ends everything that is not being read.
func (q *queue) clear() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, a := range slices.Concat(q.waiting, q.background) {
		q.end(a)
	}
	q.waiting, q.background = nil, nil
}
