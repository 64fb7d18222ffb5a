package origin

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

var (
	errHead     = errors.New("origin: the head of the answer is too long")
	errInformed = errors.New("origin: too many 1xx answers")
	errSwitched = errors.New("origin: 101 to a request that did not ask for it")
)

// maxInformed is how many 1xx answers may come before the answer; they are for whoever sends a body.
const maxInformed = 5

// conn is a connection to the origin that carries one exchange at a time.
type conn struct {
	pool    *pool
	conn    net.Conn // with TLS, if any
	line    *line    // below it
	in      *bufio.Reader
	out     []byte
	timeout time.Duration

	stop     func() bool // lets go of the request's context
	reading  bool        // the head of an answer
	left     int         // bytes that it may still have
	answered bool        // something came since the request
	limit    time.Time   // the connection's deadline; zero = none
	since    time.Time   // in the pool
}

func newConn(p *pool, raw net.Conn, timeout time.Duration) *conn {
	l := newLine(raw)
	c := &conn{pool: p, conn: l, line: l, timeout: timeout}
	c.in = bufio.NewReaderSize(c, 16<<10)
	return c
}

// exchange sends a request and returns its answer, whose body has to be read to its end or closed: then others may use the connection.
func (c *conn) exchange(req *http.Request) (*http.Response, error) {
	head, err := appendHead(c.out[:0], req)
	if err != nil {
		return nil, err
	}
	c.out = head
	c.answered, c.reading, c.left = false, true, maxHead
	c.bound()
	c.stop = context.AfterFunc(req.Context(), func() { c.conn.Close() })
	if _, err := c.conn.Write(head); err != nil {
		return nil, err
	}
	for range maxInformed + 1 {
		res, err := http.ReadResponse(c.in, req)
		switch {
		case err != nil:
			return nil, err
		case res.StatusCode == http.StatusSwitchingProtocols:
			return nil, errSwitched
		case res.StatusCode >= 200:
			c.reading = false
			c.own(res)
			return res, nil
		}
	}
	return nil, errInformed
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
func (c *conn) Read(p []byte) (int, error) {
	if c.reading && c.left <= 0 {
		return 0, errHead
	}
	if !c.reading && !c.limit.IsZero() { // an answer's body may take as long as it likes: who reads it decides
		c.limit = time.Time{}
		c.conn.SetDeadline(c.limit)
	}
	n, err := c.conn.Read(p)
	c.left -= n
	c.answered = c.answered || n > 0
	return n, err
}

// quiet tells whether the connection can take a request: it is open, and the origin has said nothing since its last answer. What it
// did say would be taken for the next visitor's answer (response queue poisoning, SM-10).
func (c *conn) quiet() bool {
	c.bound() // an old deadline would hide what is there
	c.reading, c.left = true, 1
	c.line.probing = true
	_, err := c.in.Peek(1)
	c.line.probing = false
	return errors.Is(err, errNothing) && !c.line.heard // part of a TLS record is something, too
}

// own makes the connection part of the answer's body.
func (c *conn) own(res *http.Response) {
	if res.Body == http.NoBody {
		c.release(!res.Close)
		return
	}
	res.Body = &body{ReadCloser: res.Body, conn: c, keep: !res.Close, ctx: res.Request.Context()}
}

// release ends an exchange. A connection that is between two messages is kept, unless its request was called off.
func (c *conn) release(keep bool) {
	if !c.stop() || !keep {
		c.conn.Close()
		return
	}
	c.pool.give(c)
}

// body is an answer's. It holds the connection until its end, or until somebody closes it, perhaps while another reads.
type body struct {
	io.ReadCloser
	conn  *conn
	keep  bool // the connection, at the end
	ctx   context.Context
	ended atomic.Bool
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch err {
	case nil:
	case io.EOF:
		b.end(b.keep)
	default:
		b.end(false)
		err = causeOf(b.ctx, err)
	}
	return n, err
}

// Close gives up what has not been read: reading on would cost more than a new connection.
func (b *body) Close() error {
	b.end(false)
	return nil
}

func (b *body) end(keep bool) {
	if !b.ended.Swap(true) {
		b.conn.release(keep)
	}
}
