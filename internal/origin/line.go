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
	heard   bool // something, while probing

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
		l.n, l.err = syscall.Read(int(fd), l.into) // the descriptor does not block
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
func (l *line) Read(p []byte) (int, error) {
	if !l.probing {
		return l.Conn.Read(p)
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
	l.heard = true
	return l.n, nil
}
