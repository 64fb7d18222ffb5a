package origin

import (
	"io"
	"net"
	"syscall"
)

// line is the socket below a connection. It can be asked whether anything came without waiting for it.
type line struct {
	net.Conn
	raw     syscall.RawConn // nil when it cannot be asked
	probing bool
	budget  int      // bytes that a probe may still read
	records *records // of TLS; nil without

	// what read works on: a function of its own for each probe would be an allocation
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

// errNothing says that there was nothing to read. For crypto/tls it is a timeout: the connection stays usable.
var errNothing error = nothing{}

type nothing struct{}

func (nothing) Error() string   { return "origin: nothing to read" }
func (nothing) Timeout() bool   { return true }
func (nothing) Temporary() bool { return true }

// Read reads what comes; while probing, what is there.
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

// maxProbe bounds what a probe reads: session tickets fit into it. Messages of TLS without end would hold whoever
// probes for ever.
const maxProbe = 64 << 10

// Write sends what the other end asks for. While probing that is an answer of TLS to something nobody began, and
// might have to wait.
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
		return 0, io.ErrUnexpectedEOF // not asked means not used again
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

// between tells that no part of a TLS record has come whose rest is still to come: crypto/tls keeps it to itself, and it becomes an
// answer as soon as it is whole.
func (l *line) between() bool { return l.records == nil || l.records.between() }

// records follows the framing of TLS: a head of five bytes, the last two of which are the length of what follows (RFC 8446 5.1).
type records struct {
	head [5]byte
	have int // bytes of the head
	left int // bytes of what follows
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

func (r *records) between() bool { return r.have == 0 && r.left == 0 }
