package proxy

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// lasting sends a request as bob whose response lasts.
func (s *stage) lasting(t *testing.T, request string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn := s.dial(t)
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(conn, strings.Replace(request, "\r\n", "\r\nHost: "+testHost+"\r\n"+asBob+"\r\n", 1)+"\r\n")
	return conn, bufio.NewReader(conn)
}

// A protected response ends with its session, regardless of its type and of whether data arrives.
func TestLastingResponseEndsWithItsSession(t *testing.T) {
	t.Parallel()
	const chunked = "Transfer-Encoding: chunked\r\n\r\n"
	for name, said := range map[string]string{
		"lines of JSON": "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n" + chunked + "3\r\n{}\n\r\n",
		"a download": "HTTP/1.1 200 OK\r\nContent-Type: application/zip\r\nContent-Length: 1000000000\r\n\r\n" +
			strings.Repeat("x", 100<<10),
		"of no type":          "HTTP/1.1 200 OK\r\n" + chunked + "3\r\nxxx\r\n",
		"until its end":       "HTTP/1.0 200 OK\r\n\r\nxxx",
		"an event stream":     "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n",
		"an error that lasts": "HTTP/1.1 500 Oops\r\nContent-Type: text/html\r\n" + chunked + "3\r\nxxx\r\n",
		"a part of a download": "HTTP/1.1 206 Partial Content\r\n" +
			"Content-Range: bytes 0-9999/10000\r\nContent-Length: 10000\r\n\r\nx",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := &sessionEnds{channels: map[string]chan struct{}{}}
			e.admitted.Store(true)
			hang := make(chan struct{})
			t.Cleanup(func() { close(hang) })
			s := newStage(t, staging{cfg: testConfig(rawSite(t, func(conn *net.TCPConn, _ *http.Request) {
				io.WriteString(conn, said)
				<-hang
			}), loginRule("/members/**")), change: func(d *stubs) {
				d.ended, d.redecide = e.ended, func(Open) bool { return e.admitted.Load() }
			}})
			_, in := s.lasting(t, "GET /members/x HTTP/1.1\r\n")
			res, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := res.Body.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			e.admitted.Store(false)
			e.end("bob") // heard by a watch that has begun; another asks when it begins
			if _, err := io.Copy(io.Discard, res.Body); err == nil || isTimeout(err) {
				t.Errorf("it ended with %v", err)
			}
			s.server.Close() // waits for the handler
			if n := e.waiting.Load(); n != 0 {
				t.Errorf("%d watches were never given back", n)
			}
		})
	}
}

func isTimeout(err error) bool {
	timeout, ok := err.(net.Error)
	return ok && timeout.Timeout()
}

// If nothing was sent yet, the visitor is asked to log in, and the connection to the origin ends.
func TestSessionEndBeforeResponseIs401(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ request, body string }{
		"a long poll":           {"GET /members/x HTTP/1.1\r\n", ""},
		"a form":                {"POST /members/x HTTP/1.1\r\nContent-Length: 3\r\n", "a=b"},
		"an upload":             {"POST /members/x HTTP/1.1\r\nContent-Length: 1000000\r\n", "beginning"},
		"an upload in chunks":   {"PUT /members/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n", "3\r\nxxx\r\n"},
		"a WebSocket to come":   {"GET /members/x HTTP/1.1\r\n" + upgrade, ""},
		"a request for headers": {"HEAD /members/x HTTP/1.1\r\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gone := make(chan struct{})
			s := newStage(t, staging{cfg: testConfig(rawSite(t, func(conn *net.TCPConn, r *http.Request) {
				io.Copy(io.Discard, conn)
				close(gone)
			}), loginRule("/members/**")), change: func(d *stubs) { d.redecide = func(Open) bool { return false } }})
			conn, in := s.lasting(t, c.request)
			io.WriteString(conn, c.body)
			res, err := http.ReadResponse(in, &http.Request{Method: strings.Fields(c.request)[0]})
			if err != nil || res.StatusCode != http.StatusUnauthorized {
				t.Fatalf("%v, %v", res, err)
			}
			<-gone
		})
	}
}

// A rule may allow only a method other than GET, and a public page needs no session.
func TestLastingExchangeKeepsMethodAndRule(t *testing.T) {
	t.Parallel()
	rule := loginRule("/members/**")
	rule.Methods = []string{"POST"}
	asked, last := make(chan struct{}, 9), make(chan struct{})
	var s *stage
	s = newStage(t, staging{cfg: testConfig(rawSite(t, func(conn *net.TCPConn, r *http.Request) {
		<-last
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	}), rule), change: func(d *stubs) {
		d.redecide = func(o Open) bool {
			asked <- struct{}{}
			d, _ := s.gate.Redecide(o, o.Session)
			return d.Admits()
		}
	}})
	_, in := s.lasting(t, "POST /members/x HTTP/1.1\r\nContent-Length: 0\r\n")
	_, public := s.lasting(t, "GET /public HTTP/1.1\r\n")
	<-asked
	close(last)
	for _, answer := range []*bufio.Reader{in, public} {
		if res, err := http.ReadResponse(answer, nil); err != nil || res.StatusCode != http.StatusOK {
			t.Errorf("%v %v", res, err)
		}
	}
	if n := len(asked); n > 0 {
		t.Errorf("it was asked %d times too often", n)
	}
}

// A short response is not watched, and a drain does not end a download, which ends by itself.
func TestShortExchangeIsNotWatched(t *testing.T) {
	t.Parallel()
	leaving, rest := make(chan struct{}), make(chan struct{})
	watched := make(chan struct{}, 9)
	s := newStage(t, staging{cfg: testConfig(newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/members/download" {
			io.WriteString(w, strings.Repeat("x", 100<<10))
			w.(http.Flusher).Flush()
			<-rest
		}
		io.WriteString(w, "end")
	}).URL, loginRule("/members/**")), change: func(d *stubs) {
		d.Leaving = leaving
		d.redecide = func(Open) bool { watched <- struct{}{}; return true }
	}})
	for range 10 {
		s.get(t, "GET", "/members/page", asBob)
	}
	_, in := s.lasting(t, "GET /members/download HTTP/1.1\r\nConnection: close\r\n")
	<-watched // the download, after a second
	close(leaving)
	close(rest)
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(res.Body); err != nil || !strings.HasSuffix(string(body), "end") {
		t.Errorf("%d bytes, %v", len(body), err)
	}
	if n := len(watched); n > 0 {
		t.Errorf("%d pages were watched, too", n)
	}
}

func TestWatchPanicIsRaisedInHandler(t *testing.T) {
	t.Parallel()
	s := newStage(t, staging{cfg: testConfig(rawSite(t, func(conn *net.TCPConn, _ *http.Request) {
		io.Copy(io.Discard, conn)
	}),
		loginRule("/members/**")), change: func(d *stubs) { d.redecide = func(Open) bool { panic("a bug") } }})
	_, in := s.lasting(t, "GET /members/x HTTP/1.1\r\n")
	if rest, err := io.ReadAll(in); len(rest) > 0 || isTimeout(err) {
		t.Errorf("%q, %v", rest, err)
	}
	if got := s.get(t, "GET", "/members/../x"); got.StatusCode != http.StatusBadRequest {
		t.Errorf("afterwards: %d", got.StatusCode)
	}
}

// A visitor who reads nothing of a response must not hold it after the session has ended.
func TestUnreadResponseEndsWithItsSession(t *testing.T) {
	t.Parallel()
	for _, h2 := range []bool{false, true} {
		gone := make(chan struct{})
		s := newStage(t, staging{h2: h2, cfg: testConfig(newOrigin(t, func(w http.ResponseWriter, _ *http.Request) {
			defer close(gone)
			for piece := make([]byte, 64<<10); ; {
				if _, err := w.Write(piece); err != nil {
					return
				}
			}
		}).URL, loginRule("/members/**")), change: func(d *stubs) { d.redecide = func(Open) bool { return false } }})
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+"/members/x", nil)
		req.Host = testHost
		req.Header.Set("Cookie", "__Host-hubgate=bob")
		res, err := s.server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		select {
		case <-gone:
		case <-time.After(20 * time.Second): // a third of what a visitor may take nothing for
			t.Errorf("HTTP/2 %v: it goes on", h2)
		}
	}
}
