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

// bodyPause is how long a body may pause before its stream is reset.
const bodyPause = 30 * time.Second

// post opens a stream for a POST, without its body.
func (c *h2) post(stream uint32, path string) error {
	var head bytes.Buffer
	encoder := hpack.NewEncoder(&head) // one for each request: the server's table stays empty
	encoder.SetMaxDynamicTableSizeLimit(0)
	for _, f := range [][2]string{
		{":method", "POST"}, {":scheme", "https"}, {":authority", acmeHost}, {":path", path},
		{"content-type", "application/x-www-form-urlencoded"},
	} {
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

// A body's time limit that expires just when its request ends must not touch the request any more: net/http has given
// the stream's writer to the next stream by then, and a nil dereference would end the process (CWE-476). The bodies end
// within a few milliseconds around their limit, on the gateway's own endpoints and on pages of the origin.
func TestHTTP2BodyLimitsDoNotRaceWithTheEnd(t *testing.T) {
	t.Parallel()
	g := startHTTPS(t)
	var all sync.WaitGroup
	for n := range 40 {
		c := dialH2(t, g.port)
		c.SetDeadline(time.Now().Add(2 * time.Minute))
		go func() {
			for c.next() == nil {
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
	case <-g.done:
		t.Fatal("the process has exited")
	case <-time.After(2 * time.Second):
	}
	c := dialH2(t, g.port)
	c.WritePing(false, [8]byte{1})
	for err := error(nil); ; {
		if err = c.next(); err != nil {
			if fmt.Sprint(err) != "the ping is answered" {
				t.Error(err)
			}
			return
		}
	}
}
