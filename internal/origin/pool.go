package origin

import (
	"slices"
	"sync"
	"time"

	"github.com/hubgate/hubgate/internal/background"
)

// pool holds idle connections and reuses the latest one first, so that those that a quiet site does not need expire.
type pool struct {
	idle time.Duration

	mu         sync.Mutex
	free       []*conn
	waiting    []chan *conn // requests without a connection; each has started a dial
	closed     bool         // until the next request
	sweepTimer *time.Timer  // runs while free holds anything
}

// take returns an idle connection that can take a request, or a waiter, which receives the next one.
func (p *pool) take() (*conn, chan *conn) {
	for {
		c, waiter := p.pop()
		if c == nil || c.reusable() {
			return c, waiter
		}
		c.close()
	}
}

func (p *pool) pop() (*conn, chan *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = false
	last := len(p.free) - 1
	if last < 0 {
		waiter := make(chan *conn, 1)
		p.waiting = append(p.waiting, waiter)
		return nil, waiter
	}
	c := p.free[last]
	p.free[last] = nil
	p.free = p.free[:last]
	return c, nil
}

// leave removes a waiter from the queue. It returns the connection that it has received meanwhile, if any, and whether
// others wait.
func (p *pool) leave(waiter chan *conn) (c *conn, others bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.waiting, waiter); i >= 0 {
		p.waiting = slices.Delete(p.waiting, i, i+1)
	} else {
		c = <-waiter
	}
	return c, len(p.waiting) > 0
}

// give passes a connection to the request that has waited longest, or keeps it for the next one.
func (p *pool) give(c *conn) {
	c.since = time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.passOn(c) {
		c.used = true
		p.free = append(p.free, c)
		p.scheduleSweep()
	}
}

// passOn gives a connection to the request that has waited longest, or closes it if the pool is full. It reports false
// if the connection belongs in free.
func (p *pool) passOn(c *conn) bool {
	switch {
	case len(p.waiting) > 0:
		p.waiting[0] <- c
		p.waiting = slices.Delete(p.waiting, 0, 1)
	case p.closed || len(p.free) >= maxIdle:
		c.close()
	default:
		return false
	}
	return true
}

// sweepEvery is how often idle connections are checked. Until then, one that the origin closed holds a socket.
const sweepEvery = 5 * time.Second

// scheduleSweep schedules the next sweep, which closes connections that are idle for too long or closed by the origin.
func (p *pool) scheduleSweep() {
	if p.sweepTimer != nil || len(p.free) == 0 {
		return
	}
	p.sweepTimer = time.AfterFunc(p.sweepPause(), p.sweep)
}

func (p *pool) sweepPause() time.Duration {
	if p.idle > 0 {
		return min(sweepEvery, p.idle/4)
	}
	return sweepEvery
}

// sweep takes the connections that have been idle for a while out of the pool, checks them, and puts back those that
// can be used. The check is I/O, so the pool is not locked meanwhile.
func (p *pool) sweep() {
	for _, c := range p.takeOld(time.Now().Add(-p.sweepPause() / 2)) {
		fit := false
		_ = background.Catch(func() { fit = c.reusable() }) // no request would recover a panic
		if !fit || p.idle > 0 && time.Since(c.since) >= p.idle {
			c.close()
			continue
		}
		p.putBack(c)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweepTimer = nil
	p.scheduleSweep()
}

// takeOld takes out the connections that have been idle since before a time.
func (p *pool) takeOld(since time.Time) []*conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for n < len(p.free) && p.free[n].since.Before(since) {
		n++
	}
	old := slices.Clone(p.free[:n])
	p.free = slices.Delete(p.free, 0, n)
	return old
}

// putBack returns a connection to its place in the order of idle time.
func (p *pool) putBack(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.passOn(c) {
		at, _ := slices.BinarySearchFunc(p.free, c, func(a, b *conn) int { return a.since.Compare(b.since) })
		p.free = slices.Insert(p.free, at, c)
	}
}

// drop closes the connections that have been idle since before a time.
func (p *pool) drop(since time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remove(func(c *conn) bool { return c.since.Before(since) })
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.remove(func(*conn) bool { return true })
}

func (p *pool) remove(unwanted func(*conn) bool) {
	p.free = slices.DeleteFunc(p.free, func(c *conn) bool {
		if !unwanted(c) {
			return false
		}
		c.close()
		return true
	})
}
