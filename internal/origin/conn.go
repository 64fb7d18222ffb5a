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
	errHead   = errors.New("origin: the head of the answer is too long")
	errStatus = errors.New("origin: an answer without a proper status")
)

// conn is a connection to the origin that carries one exchange at a time.
type conn struct {
	pool    *pool
	conn    net.Conn // with TLS, if any
	line    *line    // below it
	in      *bufio.Reader
	timeout time.Duration

	stop     func() bool // lets go of the request's context
	reading  bool        // the head of an answer
	left     int         // bytes that it may still have
	fault    error       // why reading it ended
	answered bool        // something came since the request
	used     bool        // it has been idle, or another's: the origin may have closed it meanwhile
	limit    time.Time   // the connection's deadline; zero = none
	since    time.Time   // in the pool
}

func newConn(p *pool, raw net.Conn, timeout time.Duration) *conn {
	l := newLine(raw)
	c := &conn{pool: p, conn: l, line: l, timeout: timeout}
	c.in = bufio.NewReaderSize(c, 16<<10)
	return c
}

// close ends the connection without a word: TLS would first write one, and wait for an origin that reads nothing.
func (c *conn) close() { c.line.Close() }

// exchange sends a request and returns its answer, whose body has to be read to its end or closed: then others may use the connection.
// After an error it is closed.
func (c *conn) exchange(req *http.Request, head []byte) (*http.Response, error) {
	c.answered, c.reading, c.left, c.fault = false, true, maxHead, nil
	c.bound()
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
			return nil, c.fault // which is why the rest made no sense
		case err != nil:
			return nil, err
		case res.StatusCode < 100 || res.StatusCode == http.StatusSwitchingProtocols:
			// Below 100 there may be a body, which would be taken for the answer (response splitting); nobody asked for a 101.
			return nil, errStatus
		case res.StatusCode >= 200:
			return res, nil
		}
	}
}

// bound sees to it that an answer begins in time. A deadline costs more than the rest of exchange, so it is set with a margin of an
// eighth and used again while it is not too near.
func (c *conn) bound() {
	if c.timeout <= 0 {
		return
	}
	if by := time.Now().Add(c.timeout); c.limit.Before(by) {
		c.limit = by.Add(c.timeout / 8)
		c.conn.SetDeadline(c.limit)
	}
}

// Read feeds the reader of answers.
func (c *conn) Read(p []byte) (n int, err error) {
	if c.reading && c.left <= 0 {
		c.fault = errHead
		return 0, errHead
	}
	if !c.reading && !c.limit.IsZero() { // an answer's body may take as long as it likes: who reads it decides
		c.limit = time.Time{}
		c.conn.SetDeadline(c.limit)
	}
	n, err = c.conn.Read(p)
	c.left -= n
	c.answered = c.answered || n > 0
	c.fault = err
	return n, err
}

// quiet tells whether the connection can take a request: it is open, and the origin has said nothing since its last answer. What it
// did say would be taken for the next visitor's answer (response queue poisoning).
func (c *conn) quiet() bool {
	c.bound() // an old deadline would hide what is there
	c.reading, c.left = true, 1
	c.line.probing, c.line.budget = true, maxProbe
	_, err := c.in.Peek(1)
	c.line.probing = false
	return errors.Is(err, errNothing) && c.line.between()
}

// release ends an exchange. A connection that is between two messages is kept, unless its request was called off.
func (c *conn) release(keep bool) {
	c.used = true
	if !c.stop() || !keep {
		c.close()
		return
	}
	c.pool.give(c)
}
