package proxy

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hubgate/hubgate/internal/background"
)

// StrictHTTP1 wraps the public listener so that HTTP/1 requests without one reading are answered 400 and their connection is closed,
// whatever net/http would have made of them. With a TLS configuration it ends TLS itself, and leaves HTTP/2 connections as they are:
// their framing has one reading. The handshake may take as long as handshake allows.
func StrictHTTP1(l net.Listener, cfg *tls.Config, handshake time.Duration) net.Listener {
	if cfg == nil {
		return strictListener{l}
	}
	t := &tlsListener{Listener: l, cfg: cfg, limit: handshake, conns: make(chan net.Conn), done: make(chan struct{})}
	go t.accept()
	return t
}

type strictListener struct{ net.Listener }

func (l strictListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &strictConn{Conn: conn}, nil
}

// tlsListener knows a connection's protocol only after its handshake, which must not keep others waiting.
type tlsListener struct {
	net.Listener
	cfg   *tls.Config
	limit time.Duration
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
	err   error // why accept ended
}

func (l *tlsListener) accept() {
	for {
		conn, err := l.Listener.Accept()
		if err == nil {
			go func() {
				if background.Catch(func() { l.handshake(conn) }) != nil {
					conn.Close() // one visitor's handshake is nobody else's fault
				}
			}()
			continue
		}
		if exhausted(err) { // a flood of connections must not end the listener
			time.Sleep(acceptRetry)
			continue
		}
		l.stop(err)
		return
	}
}

// acceptRetry is how long the listener waits for others to free what the system ran out of.
const acceptRetry = 100 * time.Millisecond

// exhausted tells what goes away by itself: too many open files, no buffer space, a connection that ended before it was accepted.
func exhausted(err error) bool {
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

func (l *tlsListener) stop(err error) {
	l.once.Do(func() {
		l.err = err
		close(l.done)
	})
}

func (l *tlsListener) handshake(raw net.Conn) {
	conn := tls.Server(raw, l.cfg)
	ctx, cancel := context.WithTimeout(context.Background(), l.limit)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		var plain tls.RecordHeaderError
		if errors.As(err, &plain) && plain.Conn != nil && bytes.ContainsAny(plain.RecordHeader[:1], "GHPOD") {
			io.WriteString(plain.Conn, "HTTP/1.0 400 Bad Request\r\n\r\nThis port speaks HTTPS only.\n")
		}
		raw.Close()
		return
	}
	var ready net.Conn = conn
	switch conn.ConnectionState().NegotiatedProtocol {
	case "h2":
	case "", "http/1.1":
		ready = &strictTLSConn{strictConn{Conn: conn}, conn}
	default: // acme-tls/1: the handshake was the whole answer, and HTTP after it would be read by nobody's rules (RFC 8737 3)
		conn.Close()
		return
	}
	select {
	case l.conns <- ready:
	case <-l.done:
		ready.Close()
	}
}

// Accept returns the next connection whose handshake is done.
func (l *tlsListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.done:
		return nil, l.err
	}
}

func (l *tlsListener) Close() error {
	l.stop(net.ErrClosed)
	return l.Listener.Close()
}

// strictConn hands net/http only well-framed bytes. At the first that are not it hands over something that net/http refuses as well,
// so that the answer is a 400 and the end of the connection; an error of the connection's own would end it without a word.
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

// SetDeadline is what net/http clears when it hands a connection over to become a WebSocket: the next write has its own again.
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

// writeProgress is how long a visitor may take nothing of an answer: who reads more slowly only holds the connection, and the origin's
// (slow read, DS-01).
const writeProgress = time.Minute

func (c *strictConn) Write(p []byte) (int, error) {
	c.setWriteDeadline()
	return c.Conn.Write(p)
}

// leaveHTTP is called when the handler has taken the connection over to make it a WebSocket: what comes is no HTTP
// any more. Nothing that is written or read can do that (in-band signalling, CWE-444).
func (c *strictConn) leaveHTTP() { c.raw.Store(true) }

// setWriteDeadline sets it anew when an eighth of it has passed: setting it each time costs more than the rest of Write.
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

// strictTLSConn tells net/http about its TLS, so that Request.TLS is set.
type strictTLSConn struct {
	strictConn
	tls *tls.Conn
}

// ConnectionState is the TLS connection's.
func (c *strictTLSConn) ConnectionState() tls.ConnectionState { return c.tls.ConnectionState() }
