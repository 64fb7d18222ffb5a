package stricthttp

import (
	"crypto/tls"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// strictConn hands net/http only well-framed bytes. At the first that are not it hands over something that net/http
// refuses as well, so that the answer is a 400 and the end of the connection; an error of the connection's own would
// end it without a word.
type strictConn struct {
	net.Conn
	framing framing
	poison  []byte
	dead    bool
	mu      sync.Mutex
	limit   time.Time   // net/http's own read deadline
	raw     atomic.Bool // it has become a WebSocket
	writeBy time.Time   // the deadline of writes
}

// poison breaks off a head, a chunk's size and a trailer alike.
const poison = "\x00\r\n\x00\r\n\r\n"

func (c *strictConn) Read(p []byte) (int, error) {
	if c.dead {
		return c.drain(p)
	}
	if c.raw.Load() {
		return c.Conn.Read(p)
	}
	body := c.framing.state != inHead
	if body {
		c.Conn.SetReadDeadline(c.progressBy())
	}
	n, err := c.Conn.Read(p)
	if c.raw.Load() { // while it waited
		return n, err
	}
	fine := c.framing.accept(p[:n])
	switch {
	case body && c.framing.state == inHead:
		c.Conn.SetReadDeadline(c.ownLimit())
	case body && err != nil:
		c.dead = true // what comes later is still the body; net/http might take it for the next request
	}
	if fine == n {
		return n, err
	}
	c.dead, c.poison = true, []byte(poison)
	more, err := c.drain(p[fine:])
	return fine + more, err
}

// bodyProgress is how long a body may pause: who sends nothing for longer is not sending it (slowloris, DS-01).
const bodyProgress = 30 * time.Second

func (c *strictConn) progressBy() time.Time {
	by := time.Now().Add(bodyProgress)
	if own := c.ownLimit(); !own.IsZero() && own.Before(by) {
		return own
	}
	return by
}

func (c *strictConn) ownLimit() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.limit
}

// SetReadDeadline keeps what net/http wants beside what a body's progress wants.
func (c *strictConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	c.limit = t
	c.mu.Unlock()
	return c.Conn.SetReadDeadline(t)
}

// SetDeadline is what net/http clears when it hands a connection over to become a WebSocket: the next write has its
// own again.
func (c *strictConn) SetDeadline(t time.Time) error {
	c.mu.Lock()
	c.limit, c.writeBy = t, time.Time{}
	c.mu.Unlock()
	return c.Conn.SetDeadline(t)
}

func (c *strictConn) drain(p []byte) (int, error) {
	if len(c.poison) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.poison)
	c.poison = c.poison[n:]
	return n, nil
}

// writeProgress is how long a visitor may take nothing of an answer: who reads more slowly only holds the connection,
// and the origin's (slow read, DS-01).
const writeProgress = time.Minute

func (c *strictConn) Write(p []byte) (int, error) {
	c.setWriteDeadline()
	return c.Conn.Write(p)
}

// LeaveHTTP is called when the handler has taken the connection over to make it a WebSocket: what comes is no HTTP
// any more. Nothing that is written or read can do that (in-band signalling, CWE-444).
func (c *strictConn) LeaveHTTP() { c.raw.Store(true) }

// setWriteDeadline sets it anew when an eighth of it has passed: setting it each time costs more than the rest of
// Write.
func (c *strictConn) setWriteDeadline() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); c.writeBy.Sub(now) < writeProgress-writeProgress/8 {
		c.writeBy = now.Add(writeProgress)
		c.Conn.SetWriteDeadline(c.writeBy)
	}
}

// CloseWrite lets net/http end its half first, so that a refusal arrives before the reset.
func (c *strictConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// ResetOnClose makes the end of the connection an error for the visitor.
func (c *strictConn) ResetOnClose() {
	below := c.Conn
	if secure, ok := below.(*tls.Conn); ok {
		below = secure.NetConn()
	}
	if tcp, ok := below.(interface{ SetLinger(sec int) error }); ok {
		_ = tcp.SetLinger(0) // of a connection that has ended: nothing is left to say
	}
}

// strictTLSConn tells net/http about its TLS, so that Request.TLS is set.
type strictTLSConn struct {
	strictConn
	tls *tls.Conn
}

// ConnectionState is the TLS connection's.
func (c *strictTLSConn) ConnectionState() tls.ConnectionState { return c.tls.ConnectionState() }
