package e2e

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// bodyPause is how long a body may pause before its stream is given up.
const bodyPause = 30 * time.Second

// post opens a stream for a POST whose body is still to come.
func (c *h2) post(stream uint32, path string) error {
	var head bytes.Buffer
	encoder := hpack.NewEncoder(&head) // one for each request: the server's table stays empty
	encoder.SetMaxDynamicTableSizeLimit(0)
	for _, f := range [][2]string{{":method", "POST"}, {":scheme", "https"}, {":authority", acmeHost}, {":path", path},
		{"content-type", "application/x-www-form-urlencoded"}} {
		encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
	}
	return c.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: head.Bytes(), EndHeaders: true})
}

// endBodies sends the last piece of a hundred bodies at once, at a given time.
func (c *h2) endBodies(at time.Time) {
	var frames bytes.Buffer
	framer := http2.NewFramer(&frames, nil)
	for i := range uint32(100) {
		framer.WriteData(2*i+1, true, []byte("a=b"))
	}
	<-time.After(time.Until(at))
	c.Conn.Write(frames.Bytes())
}

// A limit that is reached at the very moment when a request ends must find nothing to touch any more: net/http has
// given the stream's writer to the next one, and its nil would end the process (CWE-476). The bodies end over a few
// milliseconds around their limit, on endpoints of the gateway's own, on pages that are passed on, and on such as
// nobody may see.
func TestHTTP2BodiesThatEndAtTheirLimitHarmNobody(t *testing.T) {
	t.Parallel()
	port, gw := startWithCertificate(t)
	var all sync.WaitGroup
	for n := range 40 {
		c := dialH2(t, port)
		c.SetDeadline(time.Now().Add(2 * time.Minute))
		go func() {
			for c.end() == nil {
			}
		}()
		path := []string{"/oauth2/sign_out", "/contact", "/oauth2/sign_out?x=1", "/oauth2/backchannel_logout"}[n%4]
		for i := range uint32(100) {
			if err := c.post(2*i+1, path); err != nil {
				t.Fatal(err)
			}
		}
		limit := time.Now().Add(bodyPause - 2*time.Millisecond + time.Duration(n%20)*250*time.Microsecond)
		all.Go(func() { c.endBodies(limit) })
	}
	all.Wait()
	select {
	case <-gw.done:
		t.Fatal("the process is gone")
	case <-time.After(2 * time.Second):
	}
	c := dialH2(t, port)
	c.WritePing(false, [8]byte{1})
	for err := error(nil); ; {
		if err = c.end(); err != nil {
			if fmt.Sprint(err) != "the ping is answered" {
				t.Error(err)
			}
			return
		}
	}
}
