package origin

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"time"
)

var (
	errHead   = errors.New("origin: the head of the response is too long")
	errStatus = errors.New("origin: invalid status of a response")
)

// conn is a connection to the origin that carries one exchange at a time.
type conn struct {
	pool    *pool
	conn    net.Conn // over TLS, if the origin has it
	line    *line    // the socket below conn
	in      *bufio.Reader
	timeout time.Duration

	stop     func() bool // ends the watch on the request's context
	reading  bool        // the head of a response is being read
	left     int         // bytes that the head may still have
	fault    error       // why the last read ended
	answered bool        // data was received since the request
	used     bool        // not for the first time: the origin may have closed it meanwhile
	limit    time.Time   // the connection's deadline; zero = none
	since    time.Time   // when it was put into the pool
}

func newConn(p *pool, raw net.Conn, timeout time.Duration) *conn {
	l := newLine(raw)
	c := &conn{pool: p, conn: l, line: l, timeout: timeout}
	c.in = bufio.NewReaderSize(c, 16<<10)
	return c
}

// close closes the socket. Closing TLS would first write an alert, and wait for an origin that does not read.
func (c *conn) close() { c.line.Close() }

// exchange sends a request and returns its response. The connection is free when the response's body is read to its end
// or closed. After an error it is closed.
func (c *conn) exchange(req *http.Request, head []byte) (*http.Response, error) {
	c.answered, c.reading, c.left, c.fault = false, true, maxHead, nil
	c.limitHead()
	c.stop = context.AfterFunc(req.Context(), c.close)
	res, err := c.answer(req, head)
	if err != nil {
		c.stop()
		c.close()
		return nil, err
	}
	c.reading = false
	if res.Body == http.NoBody {
		c.release(!res.Close)
	} else {
		res.Body = &body{ReadCloser: res.Body, conn: c, keep: !res.Close, ctx: req.Context()}
	}
	return res, nil
}

func (c *conn) answer(req *http.Request, head []byte) (*http.Response, error) {
	if _, err := c.conn.Write(head); err != nil {
		return nil, err
	}
	for {
		res, err := http.ReadResponse(c.in, req)
		switch {
		case err != nil && (c.fault == errHead || errors.Is(c.fault, os.ErrDeadlineExceeded)):
			return nil, c.fault // the cause of err
		case err != nil:
			return nil, err
		case res.StatusCode < 100 || res.StatusCode == http.StatusSwitchingProtocols:
			// A status below 100 may have a body, which would be read as the next response (response splitting,
			// CWE-113). A 101 was not requested.
			return nil, errStatus
		case res.StatusCode >= 200:
			return res, nil
		}
	}
}

// limitHead sets the deadline for the head of a response. Setting one costs more than the rest of exchange, so it gets
// a margin of an eighth and is reused while it is far enough away.
func (c *conn) limitHead() {
	if c.timeout <= 0 {
		return
	}
	if end := time.Now().Add(c.timeout); c.limit.Before(end) {
		c.limit = end.Add(c.timeout / 8)
		c.conn.SetDeadline(c.limit)
	}
}

// Read reads from the origin, for the parser of responses.
func (c *conn) Read(p []byte) (n int, err error) {
	if c.reading && c.left <= 0 {
		c.fault = errHead
		return 0, errHead
	}
	if !c.reading && !c.limit.IsZero() { // no deadline for a response's body: its reader decides how long to wait
		c.limit = time.Time{}
		c.conn.SetDeadline(c.limit)
	}
	n, err = c.conn.Read(p)
	c.left -= n
	c.answered = c.answered || n > 0
	c.fault = err
	return n, err
}

// reusable reports whether the connection can take a request: it is open, and the origin has sent nothing since its
// last response. Such data would be taken for the response to the next visitor (response queue poisoning, CWE-444).
func (c *conn) reusable() bool {
	c.limitHead() // an expired deadline would hide pending data
	c.reading, c.left = true, 1
	c.line.probing, c.line.budget = true, maxProbe
	_, err := c.in.Peek(1)
	c.line.probing = false
	return errors.Is(err, errNothing) && c.line.atBoundary()
}

// release ends an exchange. It keeps the connection if keep is set and the request was not canceled.
func (c *conn) release(keep bool) {
	c.used = true
	if !c.stop() || !keep {
		c.close()
		return
	}
	c.pool.give(c)
}
