package origin

import (
	"io"
	"net"
	"syscall"
)

// line is the socket of a connection. It can be probed for pending data without blocking.
type line struct {
	net.Conn
	raw     syscall.RawConn // nil if it cannot be probed
	probing bool
	budget  int      // bytes that a probe may still read
	records *records // TLS records; nil without TLS

	// Fields of read, which is allocated once instead of for each probe.
	into []byte
	n    int
	err  error
	read func(fd uintptr) bool
}

func newLine(conn net.Conn) *line {
	l := &line{Conn: conn}
	if s, ok := conn.(syscall.Conn); ok {
		l.raw, _ = s.SyscallConn()
	}
	l.read = func(fd uintptr) bool {
		l.n, l.err = readNow(fd, l.into)
		return true
	}
	return l
}

// errNothing means that there was nothing to read. It is a timeout, after which crypto/tls can still use the
// connection.
var errNothing error = nothing{}

type nothing struct{}

func (nothing) Error() string   { return "origin: nothing to read" }
func (nothing) Timeout() bool   { return true }
func (nothing) Temporary() bool { return true }

// Read reads from the socket; while probing it does not block.
func (l *line) Read(p []byte) (n int, err error) {
	if l.probing {
		n, err = l.probe(p)
	} else {
		n, err = l.Conn.Read(p)
	}
	if l.records != nil {
		l.records.follow(p[:n])
	}
	return n, err
}

// maxProbe limits how much a probe reads, which is enough for session tickets. Endless TLS messages would otherwise
// keep it reading.
const maxProbe = 64 << 10

// Write writes to the socket. While probing it fails: TLS would answer a message that was not requested, and could
// block.
func (l *line) Write(p []byte) (int, error) {
	if l.probing {
		return 0, io.ErrUnexpectedEOF
	}
	return l.Conn.Write(p)
}

func (l *line) probe(p []byte) (int, error) {
	if p = p[:min(len(p), l.budget)]; len(p) == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	if l.raw == nil {
		return 0, io.ErrUnexpectedEOF // without a probe, no reuse
	}
	l.into = p
	err := l.raw.Read(l.read)
	l.into = nil
	switch {
	case err != nil:
		return 0, err
	case l.err == syscall.EAGAIN || l.err == syscall.EINTR:
		return 0, errNothing
	case l.err != nil:
		return 0, l.err
	case l.n == 0:
		return 0, io.EOF
	}
	l.budget -= l.n
	return l.n, nil
}

// atBoundary reports whether no partial TLS record was read. crypto/tls buffers a partial record, and the rest would
// complete it to a response.
func (l *line) atBoundary() bool { return l.records == nil || l.records.atBoundary() }

// records tracks the framing of TLS records: a header of five bytes, the last two of which are the length of the
// payload (RFC 8446, section 5.1).
type records struct {
	head [5]byte
	have int // bytes of the header
	left int // bytes of the payload
}

func (r *records) follow(p []byte) {
	for len(p) > 0 {
		if r.left > 0 {
			n := min(r.left, len(p))
			r.left, p = r.left-n, p[n:]
			continue
		}
		n := copy(r.head[r.have:], p)
		r.have, p = r.have+n, p[n:]
		if r.have == len(r.head) {
			r.have, r.left = 0, int(r.head[3])<<8|int(r.head[4])
		}
	}
}

func (r *records) atBoundary() bool { return r.have == 0 && r.left == 0 }
