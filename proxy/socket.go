package proxy

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hubgate/hubgate/internal/background"
	"github.com/hubgate/hubgate/internal/inbound"
)

// Status codes of Close frames (RFC 6455, section 7.4.1).
const (
	goingAway       = 1001 // the process shuts down; another replica takes the next connection
	policyViolation = 1008 // the session has ended, or is no longer admitted
)

// closeGrace is how long a visitor has to respond to a Close frame before the connection is closed.
const closeGrace = 5 * time.Second

// socket is the visitor's end of a WebSocket. It can send a Close frame between two frames of the origin, never inside
// one.
type socket struct {
	net.Conn
	sent func(n int)              // counts bytes to the visitor; nil = none counts them
	line atomic.Pointer[net.Conn] // the same, for cut, which must not wait for mu
	code atomic.Uint32            // why it ends; 0 = it does not

	mu        sync.Mutex
	frames    frames // from the origin to the visitor
	open      bool   // the 101 is written; what follows are frames
	closeSent bool   // a Close frame is sent, which nothing may follow
}

// newSocket returns the socket of a request that a rule has admitted. Its bytes count for that rule.
func newSocket(facts *inbound.Facts) *socket {
	s := &socket{}
	if rule := facts.Outcome.Rule; facts.Body != nil {
		s.sent = func(n int) { facts.Body.CountBytes(rule, n) }
	}
	return s
}

// attach sets the connection, before the 101 is written.
func (s *socket) attach(conn net.Conn) net.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Conn = conn
	s.line.Store(&conn)
	return s
}

// cut closes the connection of a visitor who does not respond to a Close frame.
func (s *socket) cut() {
	if conn := s.line.Load(); conn != nil {
		(*conn).Close()
	}
}

// requestClose requests the end of the connection. With policyViolation the visitor's frames are dropped from now on.
func (s *socket) requestClose(code uint16) {
	s.code.Store(uint32(code))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sendClose()
}

// sendClose sends the Close frame, if one was asked for and no frame is incomplete. It closes one half only: closing
// both might destroy the frame on its way.
func (s *socket) sendClose() {
	code := s.code.Load()
	if code == 0 || !s.open || s.closeSent || !s.frames.atBoundary() {
		return
	}
	s.closeSent = true
	if !s.frames.ended { // the origin has sent its own
		_, _ = s.write(closeFrame(uint16(code))) // it fails if the visitor is gone
	}
	s.closeWrite()
}

// Write sends the origin's frames, and drops what follows the Close frame. httputil calls it in its own goroutine.
func (s *socket) Write(p []byte) (n int, err error) {
	defer background.Recover(&err)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closeSent {
		return len(p), nil
	}
	for n < len(p) && (s.code.Load() == 0 || !s.frames.atBoundary()) {
		n += s.frames.next(p[n:])
	}
	if wrote, err := s.write(p[:n]); err != nil {
		return wrote, err
	}
	s.sendClose()
	return len(p), nil
}

// write writes to the visitor and counts what was written.
func (s *socket) write(p []byte) (int, error) {
	n, err := s.Conn.Write(p)
	if s.sent != nil {
		s.sent(n)
	}
	return n, err
}

// Read reads the visitor's frames. httputil calls it first after it has written the 101.
func (s *socket) Read(p []byte) (n int, err error) {
	defer background.Recover(&err)
	s.opened()
	for {
		n, err = s.Conn.Read(p)
		if err != nil || s.code.Load() != policyViolation {
			return n, err
		}
	}
}

func (s *socket) opened() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.open {
		s.open = true
		s.sendClose()
	}
}

// CloseWrite is called when the origin has closed its half.
func (s *socket) CloseWrite() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closeSent {
		return nil
	}
	s.closeSent = true
	return s.closeWrite()
}

func (s *socket) closeWrite() error {
	if half, ok := s.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
