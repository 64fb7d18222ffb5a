package origin

import (
	"sync"
	"time"
)

// pool keeps connections that nobody uses, the one used last on top: what a quiet site does not need grows old at the bottom.
type pool struct {
	idle time.Duration

	mu    sync.Mutex
	free  []*conn
	sweep *time.Timer // runs while free holds anything
}

// take returns a connection that is fit for a request, or nil.
func (p *pool) take() *conn {
	for {
		c := p.pop()
		if c == nil || c.quiet() {
			return c
		}
		c.conn.Close()
	}
}

func (p *pool) pop() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.free) - 1
	if last < 0 {
		return nil
	}
	c := p.free[last]
	p.free[last] = nil
	p.free = p.free[:last]
	return c
}

// give keeps a connection for the next request.
func (p *pool) give(c *conn) {
	c.since = time.Now()
	p.mu.Lock()
	full := len(p.free) >= maxIdle
	if !full {
		p.free = append(p.free, c)
		p.plan()
	}
	p.mu.Unlock()
	if full {
		c.conn.Close()
	}
}

// plan sees to it that idle connections are closed when they are old.
func (p *pool) plan() {
	if p.sweep == nil && p.idle > 0 && len(p.free) > 0 {
		p.sweep = time.AfterFunc(p.idle-time.Since(p.free[0].since), p.expire)
	}
}

func (p *pool) expire() {
	p.mu.Lock()
	old := 0
	for old < len(p.free) && time.Since(p.free[old].since) >= p.idle {
		old++
	}
	expired := append([]*conn(nil), p.free[:old]...)
	kept := copy(p.free, p.free[old:])
	clear(p.free[kept:])
	p.free, p.sweep = p.free[:kept], nil
	p.plan()
	p.mu.Unlock()
	for _, c := range expired {
		c.conn.Close()
	}
}

func (p *pool) close() {
	p.mu.Lock()
	free := p.free
	p.free = nil
	p.mu.Unlock()
	for _, c := range free {
		c.conn.Close()
	}
}
