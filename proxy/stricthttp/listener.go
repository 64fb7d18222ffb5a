package stricthttp

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/hubgate/hubgate/internal/background"
)

// NewListener wraps a listener. An HTTP/1 request that is ambiguous gets status 400 and its connection is closed, even
// if net/http would accept it. With a TLS configuration it terminates TLS, each handshake within the given time,
// and leaves HTTP/2 connections alone: their framing is not ambiguous.
func NewListener(l net.Listener, cfg *tls.Config, handshake time.Duration) net.Listener {
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

// tlsListener makes handshakes concurrently, so that a slow one does not delay other connections.
type tlsListener struct {
	net.Listener
	cfg   *tls.Config
	limit time.Duration
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
	err   error // why Accept fails
}

func (l *tlsListener) accept() {
	for {
		conn, err := l.Listener.Accept()
		if err == nil {
			go func() {
				if background.Catch(func() { l.handshake(conn) }) != nil {
					conn.Close() // a panic must not end the process
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

// acceptRetry is how long the listener waits for resources that the system has run out of.
const acceptRetry = 100 * time.Millisecond

// exhausted reports whether an error is temporary: too many open files, no buffer space, a connection that ended before
// it was accepted.
func exhausted(err error) bool {
	for _, errno := range []syscall.Errno{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED,
	} {
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
	default: // acme-tls/1: the handshake was the whole response (RFC 8737, section 3)
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
