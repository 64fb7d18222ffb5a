package stricthttp

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// pipes is a listener of connections without a network, so that synctest controls their time.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// h2Stream opens one stream over HTTP/2 without TLS and returns the frames that come on it.
func h2Stream(t *testing.T, handler http.HandlerFunc, method string, window uint32) (client *http2.Framer,
	frames <-chan http2.Frame) {
	t.Helper()
	l := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	server := &http.Server{Handler: Paced(handler), Protocols: &http.Protocols{}}
	server.Protocols.SetUnencryptedHTTP2(true)
	go server.Serve(l)
	ours, theirs := net.Pipe()
	t.Cleanup(func() { ours.Close(); server.Close() })
	l.conns <- theirs
	client = http2.NewFramer(ours, ours)
	client.SetReuseFrames()
	out := make(chan http2.Frame, 1000)
	go func() {
		defer close(out)
		for {
			frame, err := client.ReadFrame()
			if err != nil {
				return
			}
			if frame.Header().StreamID == 1 {
				out <- frame
			}
		}
	}()
	var head bytes.Buffer
	encoder := hpack.NewEncoder(&head)
	for _, f := range [][2]string{{":method", method}, {":scheme", "http"}, {":authority", "www.example.com"},
		{":path", "/"}} {
		encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
	}
	io.WriteString(ours, http2.ClientPreface)
	client.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: window})
	client.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: head.Bytes(), EndHeaders: true,
		EndStream: method == "GET"})
	return client, out
}

// reset reports whether the stream ends with RST_STREAM.
func reset(frames <-chan http2.Frame) bool {
	for f := range frames {
		if _, ok := f.(*http2.RSTStreamFrame); ok {
			return true
		}
	}
	return false
}

func TestUnreadHTTP2ResponseTimesOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start, took := time.Now(), make(chan time.Duration, 1)
		_, frames := h2Stream(t, func(w http.ResponseWriter, r *http.Request) {
			defer func() { took <- time.Since(start) }()
			for piece := make([]byte, 8<<10); ; {
				if _, err := w.Write(piece); err != nil {
					return
				}
			}
		}, "GET", 1000)
		if !reset(frames) {
			t.Error("the stream is not reset")
		}
		if d := <-took; d != writeProgress {
			t.Errorf("it was borne for %v", d)
		}
	})
}

func TestUnreadEndOfHTTP2ResponseTimesOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, frames := h2Stream(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") }, "GET", 1)
		if !reset(frames) || time.Since(start) != writeProgress {
			t.Errorf("it was kept for %v", time.Since(start))
		}
	})
}

func TestPausedHTTP2BodyTimesOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start, read := time.Now(), make(chan error, 1)
		client, frames := h2Stream(t, func(w http.ResponseWriter, r *http.Request) {
			_, err := io.Copy(io.Discard, r.Body)
			read <- err
		}, "POST", 1<<16)
		go func() {
			for range frames {
			}
		}()
		for range 10 { // slowly, but it flows
			time.Sleep(bodyProgress - time.Second)
			client.WriteData(1, false, []byte("x"))
		}
		if err := <-read; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("reading it says %v", err)
		}
		if d := time.Since(start); d != 10*(bodyProgress-time.Second)+bodyProgress {
			t.Errorf("it was borne for %v", d)
		}
	})
}

func TestUnreadHTTP1ResponseTimesOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ours, theirs := net.Pipe()
		defer ours.Close()
		c := &strictConn{Conn: theirs}
		go func() {
			for range 5 { // slowly, but it takes something
				time.Sleep(writeProgress - time.Second)
				io.ReadFull(ours, make([]byte, 100))
			}
		}()
		var err error
		for err == nil {
			_, err = c.Write(make([]byte, 100))
		}
		if d := time.Since(start); !errors.Is(err, os.ErrDeadlineExceeded) ||
			d != 5*(writeProgress-time.Second)+writeProgress {
			t.Errorf("it was borne for %v: %v", d, err)
		}
	})
}

func TestUnreadWebSocketTimesOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer ours.Close()
		c := &strictConn{Conn: theirs}
		go io.ReadFull(ours, make([]byte, 100))
		if _, err := c.Write(make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Time{}) // which net/http does when it hands the connection over
		time.AfterFunc(2*writeProgress, func() { ours.Close() })
		start := time.Now()
		if _, err := c.Write(make([]byte, 100)); !errors.Is(err, os.ErrDeadlineExceeded) ||
			time.Since(start) != writeProgress {
			t.Errorf("it was borne for %v: %v", time.Since(start), err)
		}
	})
}
