package origin

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
)

// body is an answer's. It holds the connection until its end, or until somebody closes it, perhaps while another reads.
type body struct {
	io.ReadCloser
	conn  *conn
	keep  bool // the connection, at the end
	ctx   context.Context
	state atomic.Int32
}

// The states of a body.
const (
	unread int32 = iota
	finished
	closed
)

func (b *body) Read(p []byte) (int, error) {
	if b.state.Load() == closed { // what is left in the buffer is not for whoever was cut off
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := b.ReadCloser.Read(p)
	switch err {
	case nil:
	case io.EOF:
		b.end(finished, b.keep)
	default:
		b.end(closed, false)
		err = causeOf(b.ctx, err)
	}
	return n, err
}

// Close gives up what has not been read: reading on would cost more than a new connection.
func (b *body) Close() error {
	b.end(closed, false)
	return nil
}

func (b *body) end(state int32, keep bool) {
	if b.state.CompareAndSwap(unread, state) {
		b.conn.release(keep)
	}
}
