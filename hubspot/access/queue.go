package access

import (
	"slices"
	"sync"
	"time"
)

// ask is a person who is to be read, for everyone who wants it.
type ask struct {
	person   person
	urgency  urgency
	group    int           // how many are read together at most: fewer than a batch after a failure
	alone    bool          // a call about the person alone has failed
	queued   time.Time     // when it was first wanted
	waitedAt time.Time     // when a visitor first waited for it
	claimed  bool          // other replicas leave it to this one
	done     chan struct{} // closed when the read has ended, with or without an answer
}

// urgency is who is read first.
type urgency int

const (
	never urgency = iota // a visitor waits, about whom nothing usable is known
	older                // a visitor waits, whose old answer is used if there is none in time
	later                // none waits
	urgencies
)

// queue is who is to be read, by urgency, and apart from them the people on whom a call has failed, who must not delay
// the others. Each person is in it once, until the read has ended.
type queue struct {
	mu        sync.Mutex
	all       map[string]*ask // including those that are being read
	lists     [urgencies][]*ask
	suspects  []*ask
	started   time.Time     // when a batch was last taken for visitors who wait
	ready     chan struct{} // receives a value when a visitor waits
	gathering chan struct{} // receives a value when someone is queued for whom none waits
	doubted   chan struct{} // receives a value when there is a suspect
	now       func() time.Time
}

// maxQueued bounds the memory, and the time that a visitor could wait in vain.
const maxQueued = 20_000

func newQueue(now func() time.Time) *queue {
	signals := func() chan struct{} { return make(chan struct{}, 1) }
	return &queue{all: map[string]*ask{}, ready: signals(), gathering: signals(), doubted: signals(), now: now}
}

// add queues a person to be read in the background. alone means that a call about the person alone has failed.
func (q *queue) add(p person, alone bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.all[p.name()] == nil {
		q.insert(p, later, alone)
	}
}

// wait queues a person for whom a visitor waits, and returns until when the visitor may wait. It returns nil if the
// queue is full.
func (q *queue) wait(p person, u urgency, alone bool) (a *ask, until time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if a = q.all[p.name()]; a == nil {
		a = q.insert(p, u, alone)
	}
	if a == nil {
		return nil, time.Time{}
	}
	if a.waitedAt.IsZero() {
		a.waitedAt = q.now()
	}
	if u < a.urgency {
		if at := slices.Index(q.lists[a.urgency], a); at >= 0 { // else it is a suspect, or being read
			q.lists[a.urgency] = slices.Delete(q.lists[a.urgency], at, at+1)
			q.lists[u] = append(q.lists[u], a)
		}
		a.urgency = u
	}
	signal(q.ready)
	return a, a.waitedAt.Add(longestWait)
}

// insert adds a person, or returns nil if the queue is full.
func (q *queue) insert(p person, u urgency, alone bool) *ask {
	if len(q.all) >= maxQueued {
		return nil
	}
	a := &ask{person: p, urgency: u, group: batchSize, alone: alone, queued: q.now(), done: make(chan struct{})}
	q.all[p.name()] = a
	if alone {
		a.group = 0 // after those who may be innocent
		q.suspects = append(q.suspects, a)
		signal(q.doubted)
		return a
	}
	q.lists[u] = append(q.lists[u], a)
	if u == later {
		signal(q.gathering)
	}
	return a
}

// empty reports whether the background queue is empty.
func (q *queue) empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.lists[later]) == 0
}

// due reports whether people who do not wait fill a batch, or are late: gathered for long enough.
func (q *queue) due(gather time.Duration) (due, late bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := q.lists[later]
	late = len(list) > 0 && q.now().Sub(list[0].queued) >= gather
	return late || len(list) >= batchSize, late
}

// takeWaiting takes a batch of people for whom visitors wait, the most urgent ones first, or returns how long to wait
// for more of them.
func (q *queue) takeWaiting(pace time.Duration) (taken []*ask, wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if wait = q.untilStart(pace); wait > 0 {
		return nil, wait
	}
	for u := range later {
		some := min(batchSize-len(taken), len(q.lists[u]))
		taken, q.lists[u] = append(taken, q.lists[u][:some]...), q.lists[u][some:]
	}
	q.started = q.now()
	return taken, 0
}

// untilStart returns how long to wait for the next batch: not at all if it is full, else pace after the last one, or
// twice that if all have an old answer. So many visitors share calls, and those who come one by one leave some.
func (q *queue) untilStart(pace time.Duration) time.Duration {
	if len(q.lists[never])+len(q.lists[older]) >= batchSize {
		return 0
	}
	wait, since := time.Hour, q.now().Sub(q.started)
	if since < 0 { // the clock was set back
		since = wait
	}
	for u := range later {
		if list := q.lists[u]; len(list) > 0 {
			gathered := list[0].waitedAt.Add(gatherTime).Sub(q.now())
			wait = min(wait, max(gathered, pace*time.Duration(1+u)-since))
		}
	}
	return wait
}

// takeLater takes at most n people for whom no visitor waits.
func (q *queue) takeLater(n int) (taken []*ask) {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := q.lists[later]
	n = min(n, len(list))
	taken, q.lists[later] = list[:n:n], list[n:]
	return taken
}

// doubt makes people suspects, because a call about all of them has failed. They are read in halves.
func (q *queue) doubt(asks []*ask) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, a := range asks {
		a.group = (len(asks) + 1) / 2
	}
	q.suspects = append(q.suspects, asks...)
	signal(q.doubted)
}

// takeSuspects takes the next group of suspects. The largest comes first, because most people in it are innocent.
func (q *queue) takeSuspects() (taken []*ask) {
	q.mu.Lock()
	defer q.mu.Unlock()
	group := 0
	for _, a := range q.suspects {
		group = max(group, a.group)
	}
	q.suspects = slices.DeleteFunc(q.suspects, func(a *ask) bool {
		take := a.group == group && len(taken) < max(1, group)
		if take {
			taken = append(taken, a)
		}
		return take
	})
	return taken
}

// putBack returns people to the head of the queue until their batch is full.
func (q *queue) putBack(asks []*ask) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var still []*ask
	for _, a := range asks {
		if a.urgency == later {
			still = append(still, a)
		} else {
			q.lists[a.urgency] = append(q.lists[a.urgency], a)
		}
	}
	q.lists[later] = append(still, q.lists[later]...)
	signal(q.ready)
}

// leave removes a person whom another replica reads, unless a visitor waits here meanwhile.
func (q *queue) leave(a *ask) (left bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if a.urgency != later {
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
	for _, a := range slices.Concat(append(q.lists[:], q.suspects)...) {
		q.end(a)
	}
	q.lists, q.suspects = [urgencies][]*ask{}, nil
}
