package stricthttp

import (
	"crypto/tls"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// strictConn passes only well-framed bytes to net/http. In place of the first invalid byte it passes input that
// net/http rejects too, so that the client gets status 400 and the connection is closed. An error would close it
// without a response.
type strictConn struct {
	net.Conn
	framing       framing
	poison        []byte // the part of it that is not passed yet
	dead          bool   // nothing but poison is passed
	mu            sync.Mutex
	limit         time.Time   // the read deadline that net/http has set
	raw           atomic.Bool // it is a WebSocket
	writeDeadline time.Time
}

// poison is invalid in a head, in the size of a chunk and in a trailer.
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
		c.Conn.SetReadDeadline(c.progressDeadline())
	}
	n, err := c.Conn.Read(p)
	if c.raw.Load() { // it became a WebSocket meanwhile
		return n, err
	}
	valid := c.framing.accept(p[:n])
	switch {
	case body && c.framing.state == inHead:
		c.Conn.SetReadDeadline(c.ownLimit())
	case body && err != nil:
		c.dead = true // net/http might take the rest of the body for the next request
	}
	if valid == n {
		return n, err
	}
	c.dead, c.poison = true, []byte(poison)
	more, err := c.drain(p[valid:])
	return valid + more, err
}

// bodyProgress is how long a client may send nothing of a body (slowloris, CWE-400).
const bodyProgress = 30 * time.Second

func (c *strictConn) progressDeadline() time.Time {
	deadline := time.Now().Add(bodyProgress)
	if own := c.ownLimit(); !own.IsZero() && own.Before(deadline) {
		return own
	}
	return deadline
}

func (c *strictConn) ownLimit() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.limit
}

// SetReadDeadline records the deadline of net/http, which applies together with the one of a body's progress.
func (c *strictConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	c.limit = t
	c.mu.Unlock()
	return c.Conn.SetReadDeadline(t)
}

// SetDeadline is called by net/http to clear deadlines when a connection is hijacked. The next write sets its own
// again.
func (c *strictConn) SetDeadline(t time.Time) error {
	c.mu.Lock()
	c.limit, c.writeDeadline = t, time.Time{}
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

// writeProgress is how long a client may read nothing of a response: it would hold a connection to the origin as well
// (slow read, CWE-400).
const writeProgress = time.Minute

func (c *strictConn) Write(p []byte) (int, error) {
	c.setWriteDeadline()
	return c.Conn.Write(p)
}

// LeaveHTTP is called when the handler has hijacked the connection for a WebSocket: what follows is not HTTP. Nothing
// that is read or written can have that effect (CWE-444).
func (c *strictConn) LeaveHTTP() { c.raw.Store(true) }

// setWriteDeadline renews the deadline when an eighth of it has passed. Setting it each time would cost more than the
// rest of Write.
func (c *strictConn) setWriteDeadline() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); c.writeDeadline.Sub(now) < writeProgress-writeProgress/8 {
		c.writeDeadline = now.Add(writeProgress)
		c.Conn.SetWriteDeadline(c.writeDeadline)
	}
}

// CloseWrite closes net/http's half first, so that a response arrives before the connection is reset.
func (c *strictConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// ResetOnClose makes Close reset the connection, which is an error for the client.
func (c *strictConn) ResetOnClose() {
	below := c.Conn
	if secure, ok := below.(*tls.Conn); ok {
		below = secure.NetConn()
	}
	if tcp, ok := below.(interface{ SetLinger(sec int) error }); ok {
		_ = tcp.SetLinger(0) // fails only for a connection that has ended
	}
}

// strictTLSConn is a strictConn over TLS, from which net/http sets Request.TLS.
type strictTLSConn struct {
	strictConn
	tls *tls.Conn
}

// ConnectionState returns that of the TLS connection.
func (c *strictTLSConn) ConnectionState() tls.ConnectionState { return c.tls.ConnectionState() }
