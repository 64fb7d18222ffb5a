package proxy

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hubgate/hubgate/internal/background"
)

// Why the gateway ends a WebSocket (RFC 6455 7.4.1).
const (
	goingAway       = 1001 // the process ends: connect again, and another replica answers
	policyViolation = 1008 // the session has ended, or is not admitted any more
)

// closeGrace is how long a visitor has to answer a Close frame before the connection is cut.
const closeGrace = 5 * time.Second

// socket is the visitor's end of a WebSocket. It can say goodbye: a Close frame between two frames of the origin's,
// never inside one.
type socket struct {
	net.Conn
	line atomic.Pointer[net.Conn] // the same, for who cannot wait for mu
	code atomic.Uint32            // why it ends; 0 = it goes on

	mu        sync.Mutex
	frames    frames // from the origin to the visitor
	open      bool   // the 101 is written: what follows are frames
	closeSent bool   // the Close frame is sent: nothing may follow it
}

// attach makes it the end of a connection. It is called before the 101 is written.
func (s *socket) attach(conn net.Conn) net.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Conn = conn
	s.line.Store(&conn)
	return s
}

// cut ends it without a word, for a visitor who neither answers a Close frame nor hangs up.
func (s *socket) cut() {
	if conn := s.line.Load(); conn != nil {
		(*conn).Close()
	}
}

// requestClose asks for the end. Whoever may no longer be here is not heard from now on; who is only to come back
// elsewhere finishes first.
func (s *socket) requestClose(code uint16) {
	s.code.Store(uint32(code))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sendClose()
}

// sendClose sends the Close frame when it is time and no frame is under way. The half-close tells the visitor that
// nothing follows; closing altogether might destroy the frame on its way.
func (s *socket) sendClose() {
	code := s.code.Load()
	if code == 0 || !s.open || s.closeSent || !s.frames.atBoundary() {
		return
	}
	s.closeSent = true
	if !s.frames.ended { // the origin's own goodbye is enough
		_, _ = s.Conn.Write(closeFrame(uint16(code))) // a visitor who is gone needs none
	}
	s.closeWrite()
}

// Write sends the origin's frames; httputil calls it in a goroutine of its own. What comes after the Close frame is
// dropped.
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
	if wrote, err := s.Conn.Write(p[:n]); err != nil {
		return wrote, err
	}
	s.sendClose()
	return len(p), nil
}

// Read hears the visitor. httputil reads first when it has written the 101.
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

// CloseWrite passes on that the origin has ended its half.
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
