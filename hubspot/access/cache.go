package access

import (
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
)

// cache is what this replica knows about people, by name.
type cache struct {
	people  *otter.Cache[string, held]
	resumed atomic.Int64 // when the subscription last came up, in Unix nanoseconds: changes may be missed before
}

// held is what this replica holds about a person.
type held struct {
	known  *Known        // nil = nothing
	looked time.Time     // when Redis last answered; zero = ask it before known is used
	failed time.Time     // when HubSpot last gave no answer about the person
	retry  time.Duration // how long the person is not read after failed
	alone  bool          // HubSpot failed on the person alone, so that it is read without others
}

const (
	retryAfter   = 5 * time.Second  // the first time; then twice as long each time
	longestRetry = time.Minute      // HubSpot answers, for example that two contacts have the address
	longestAlone = 30 * time.Minute // a call about the person fails
	rememberFor  = time.Hour        // how long a failure is remembered
)

// resting reports whether the person is not read now, because that failed.
func (h held) resting(now time.Time) bool { return now.Sub(h.failed) < h.retry }

// maxCached bounds the memory, in bytes as weight counts them. HubSpot chooses how long values are (CWE-770).
const maxCached = 128 << 20

func newCache() (*cache, error) {
	people, err := otter.New(&otter.Options[string, held]{MaximumWeight: maxCached, Weigher: weight})
	return &cache{people: people}, err
}

// weight returns about how many bytes a person takes.
func weight(name string, h held) uint32 {
	const entry, item = 400, 50
	n := entry + len(name)
	if h.known != nil {
		n += len(h.known.Email) + item*len(h.known.Lists)
		for name, values := range h.known.Properties {
			n += item + len(name)
			for _, v := range values {
				n += item + len(v)
			}
		}
	}
	return uint32(min(n, maxCached))
}

func (c *cache) get(name string) held {
	h, _ := c.people.GetIfPresent(name)
	return h
}

// change replaces what is held about a person.
func (c *cache) change(name string, change func(h *held)) {
	c.people.Compute(name, func(h held, _ bool) (held, otter.ComputeOp) {
		change(&h)
		return h, otter.WriteOp
	})
}

// add adds an answer, unless what is held is better.
func (c *cache) add(name string, k *Known, better func(x, y *Known) bool) {
	c.change(name, func(h *held) {
		if better(k, h.known) {
			*h = held{known: k, looked: h.looked}
		}
	})
}

// looked records that Redis has answered.
func (c *cache) looked(name string, now time.Time) {
	c.change(name, func(h *held) { h.looked = now })
}

// failed records that HubSpot gave no answer about a person. A person whose calls fail again and again costs less and
// less.
func (c *cache) failed(name string, alone bool, now time.Time) {
	c.change(name, func(h *held) {
		longest := longestRetry
		if h.alone = h.alone || alone; h.alone {
			longest = longestAlone
		}
		h.failed, h.retry = now, min(max(2*h.retry, retryAfter), longest)
	})
}

// doubt makes the next use ask Redis first. What is held stays: Redis may be unavailable then.
func (c *cache) doubt(name string) {
	c.people.ComputeIfPresent(name, func(h held) (held, otter.ComputeOp) {
		h.looked = time.Time{}
		return h, otter.WriteOp
	})
}

// doubtAll is doubt for everyone: a change may have been missed until now.
func (c *cache) doubtAll(now time.Time) { c.resumed.Store(now.UnixNano()) }

// doubted reports whether Redis must be asked before what is held is used.
func (c *cache) doubted(h held) bool {
	return h.looked.IsZero() || h.looked.UnixNano() <= c.resumed.Load()
}

// drop forgets a person.
func (c *cache) drop(name string) { c.people.Invalidate(name) }

// sweep forgets people about whom nothing usable is held.
func (c *cache) sweep(maxStale time.Duration, now time.Time) {
	for name, h := range c.people.All() {
		stale := h.known == nil || now.Sub(h.known.ReadAt) >= maxStale
		if stale && now.Sub(h.failed) >= rememberFor {
			c.drop(name)
		}
	}
}
