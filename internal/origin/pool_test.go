package origin

import (
	"io"
	"net"
	"testing"
	"time"
)

// layer stands for TLS: its Read can read several times from the socket, and write to it.
type layer struct {
	net.Conn
	read func(p []byte) (int, error)
}

func (l *layer) Read(p []byte) (int, error) { return l.read(p) }

// idle puts a connection into the pool that has been idle for a minute.
func idle(tr *Transport, read func(c *conn, p []byte) (int, error)) *conn {
	ours, _ := net.Pipe()
	c := newConn(&tr.pool, ours, 0)
	c.conn = &layer{ours, func(p []byte) (int, error) { return read(c, p) }}
	c.used, c.since = true, time.Now().Add(-time.Minute)
	tr.pool.mu.Lock()
	tr.pool.free = append(tr.pool.free, c)
	tr.pool.mu.Unlock()
	return c
}

// TestPoolIsUnlockedDuringProbe checks that a slow probe of one connection does not block requests that need another.
func TestPoolIsUnlockedDuringProbe(t *testing.T) {
	t.Parallel()
	for name, use := range map[string]func(*Transport){
		"take": func(tr *Transport) {
			if c, waiter := tr.pool.take(); c != nil || waiter == nil {
				t.Error("the connection that is being probed was taken")
			}
		},
		"give":  func(tr *Transport) { ours, _ := net.Pipe(); tr.pool.give(newConn(&tr.pool, ours, 0)) },
		"drop":  func(tr *Transport) { tr.pool.drop(time.Now()) },
		"close": func(tr *Transport) { tr.pool.close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := reach(t, "http://origin.example")
			probed, release, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
			idle(tr, func(*conn, []byte) (int, error) {
				close(probed)
				<-release
				return 0, errNothing
			})
			go func() { defer close(done); tr.pool.sweep() }()
			<-probed
			use(tr)
			close(release)
			<-done
		})
	}
}

func TestPoolKeepsUsableConnectionsInOrder(t *testing.T) {
	t.Parallel()
	tr := reach(t, "http://origin.example")
	quiet := func(*conn, []byte) (int, error) { return 0, errNothing }
	first, second := idle(tr, quiet), idle(tr, quiet)
	idle(tr, func(*conn, []byte) (int, error) { return 0, io.EOF })
	idle(tr, func(*conn, []byte) (int, error) { panic("a bug") })
	fresh := idle(tr, quiet)
	fresh.since = time.Now()
	second.since = second.since.Add(time.Second)
	tr.pool.sweep()
	if free := tr.pool.free; len(free) != 3 || free[0] != first || free[1] != second || free[2] != fresh {
		t.Errorf("%d connections in the pool: %v", len(free), free)
	}
}

// TestProbeReadsLimitedAmountAndWritesNothing checks that endless TLS messages without data, such as session tickets,
// end a probe.
func TestProbeReadsLimitedAmountAndWritesNothing(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]func(c *conn, p []byte) (int, error){
		"endless messages": func(c *conn, p []byte) (int, error) {
			for {
				if _, err := c.line.Read(p); err != nil {
					return 0, err
				}
			}
		},
		"endless empty messages": func(c *conn, p []byte) (int, error) {
			for {
				if _, err := c.line.Read(p[:1]); err != nil {
					return 0, err
				}
			}
		},
		"a message that needs a response": func(c *conn, p []byte) (int, error) {
			if n, err := c.line.Write([]byte("a response that is not read")); n > 0 || err != nil {
				return 0, err
			}
			return 0, errNothing
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := reach(t, "http://origin.example")
			c := idle(tr, run)
			c.line.raw = endless{}
			c.line.read = func(uintptr) bool { c.line.n, c.line.err = len(c.line.into), nil; return true }
			if c.reusable() {
				t.Error("it is reported as reusable")
			}
		})
	}
}

// endless is a socket with endless data.
type endless struct{}

func (endless) Control(func(uintptr)) error       { return nil }
func (endless) Read(f func(uintptr) bool) error   { f(0); return nil }
func (endless) Write(func(fd uintptr) bool) error { return nil }
