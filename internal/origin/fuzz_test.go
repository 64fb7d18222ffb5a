package origin

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"
)

// FuzzRecords checks that the chunking of TLS records does not matter.
func FuzzRecords(f *testing.F) {
	f.Add([]byte{23, 3, 3, 0, 2, 'o', 'k', 23, 3, 3}, uint8(3))
	f.Add([]byte{22, 3, 1, 0, 0}, uint8(1))
	f.Fuzz(func(t *testing.T, stream []byte, size uint8) {
		var whole, pieces records
		whole.follow(stream)
		for rest := stream; len(rest) > 0; {
			n := min(len(rest), int(size)+1)
			pieces.follow(rest[:n])
			rest = rest[n:]
		}
		if whole.have != pieces.have || whole.left != pieces.left {
			t.Fatalf("%v in one piece, %v in several", whole, pieces)
		}
	})
}

// finishedPeer is a connection whose peer has sent all its data.
type finishedPeer struct {
	net.Conn
	rest *bytes.Reader
}

func (s *finishedPeer) Read(p []byte) (int, error)    { return s.rest.Read(p) }
func (s *finishedPeer) Write(p []byte) (int, error)   { return len(p), nil }
func (s *finishedPeer) Close() error                  { return nil }
func (s *finishedPeer) SetDeadline(t time.Time) error { return nil }

// FuzzAnswer checks that for any input a response has a valid status, and that a connection is reusable exactly if no
// data is left in it.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(okay+"ok"), false)
	f.Add([]byte(okay+"ok"+okay+"ev"), false)
	f.Add([]byte("HTTP/1.1 103 Early\r\n\r\n"+
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: 1\r\n\r\n"), false)
	f.Add([]byte("HTTP/1.1 099 Odd\r\nContent-Length: 40\r\n\r\n"+okay), true)
	f.Add([]byte("HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nok"), true)
	f.Fuzz(func(t *testing.T, sent []byte, head bool) {
		tr, method := reach(t, "http://origin.example"), "GET"
		if head {
			method = "HEAD"
		}
		c := newConn(&tr.pool, &finishedPeer{rest: bytes.NewReader(sent)}, time.Minute)
		c.line.raw = always{} // no more data
		req := tr.request(t.Context(), method, "/")
		res, err := c.exchange(req, nil)
		if err == nil {
			if res.StatusCode < 200 {
				t.Fatalf("%d", res.StatusCode)
			}
			io.Copy(io.Discard, res.Body)
			res.Body.Close()
		}
		if left := c.in.Buffered(); tr.kept() > 0 && c.reusable() != (left == 0) {
			t.Fatalf("%q: reusable with %d bytes left", sent, left)
		}
	})
}
