package origin

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hubgate/hubgate/internal/background"
)

// errStalled means that the origin does not read a request's body. It is a timeout.
var errStalled error = stalled{}

type stalled struct{}

func (stalled) Error() string   { return "origin: the request's body is not read" }
func (stalled) Timeout() bool   { return true }
func (stalled) Temporary() bool { return true }

// maxPiece limits how much of a body is read at once, so that an origin that reads it slowly still makes progress.
const maxPiece = 16 << 10

// send sends a request through net/http. Its ResponseHeaderTimeout starts when the request is written, so an origin
// that stops reading would hold the request forever, even after the visitor has left (CWE-400).
func (t *Transport) send(req *http.Request) (*http.Response, error) {
	limit := t.cfg.ResponseHeader
	if req.Body == nil || req.Body == http.NoBody || limit <= 0 {
		return t.others.RoundTrip(req)
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	watchdog := background.NewWatchdog(limit, func() { cancel(errStalled) })
	out := req.WithContext(ctx)
	out.Body = &uploadBody{req.Body, watchdog}
	res, err := t.others.RoundTrip(out)
	watchdog.Stop() // there is no limit for the rest of either body once the response has begun
	if err == nil {
		return res, nil // the response's body needs the context, which ends with the request's
	}
	cancel(err)
	if context.Cause(ctx) == errStalled {
		err = errStalled
	}
	return nil, err
}

// uploadBody is a request's body. Between two reads of it the transport writes, and the watchdog runs.
type uploadBody struct {
	io.ReadCloser
	writing *background.Watchdog
}

func (b *uploadBody) Read(p []byte) (int, error) {
	b.writing.Done()
	defer b.writing.Begin()
	return b.ReadCloser.Read(p[:min(len(p), maxPiece)])
}

// progressConn is a connection whose writes fail if the origin neither reads nor sends anything for too long. A body's
// watchdog covers neither what follows the body nor the messages of a WebSocket.
type progressConn struct {
	net.Conn
	limit    time.Duration
	received atomic.Int64 // bytes

	mu  sync.Mutex
	end time.Time // the write deadline set by the connection's user; zero = none
}

// dialProgress is the dialer of net/http's transport.
func (t *Transport) dialProgress(ctx context.Context, network, addr string) (net.Conn, error) {
	dialer := t.dialer
	dialer.Control = limitUnsent
	conn, err := dialer.DialContext(ctx, network, addr)
	if err != nil || t.cfg.ResponseHeader <= 0 {
		return conn, err
	}
	return &progressConn{Conn: conn, limit: t.cfg.ResponseHeader}, nil
}

// Read counts the received bytes: an origin that responds makes progress even if it reads no more of the request.
func (c *progressConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.received.Add(int64(n))
	return n, err
}

func (c *progressConn) Write(p []byte) (n int, err error) {
	for {
		received := c.received.Load()
		own := c.allow()
		wrote, err := c.Conn.Write(p[n:])
		n += wrote
		if own || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		if wrote == 0 && c.received.Load() == received {
			_ = c.Conn.Close() // otherwise closing TLS would wait to write its alert
			return n, err
		}
	}
}

// allow sets the deadline of the next write. It reports whether the user's own deadline comes first.
func (c *progressConn) allow() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	deadline := time.Now().Add(c.limit)
	own := !c.end.IsZero() && c.end.Before(deadline)
	if own {
		deadline = c.end
	}
	_ = c.Conn.SetWriteDeadline(deadline) // fails on a closed connection, and so does the write
	return own
}

// SetWriteDeadline is used by crypto/tls, whose Close must not wait for long.
func (c *progressConn) SetWriteDeadline(end time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end = end
	return c.Conn.SetWriteDeadline(end)
}

func (c *progressConn) SetDeadline(end time.Time) error {
	if err := c.SetWriteDeadline(end); err != nil {
		return err
	}
	return c.Conn.SetReadDeadline(end)
}

// CloseWrite is used for a WebSocket whose visitor has closed their half.
func (c *progressConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}
