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

// ask sends a request with a client of HTTP/1 and HTTP/2, and returns the response, its body and the error of reading
// it.
func (s *stage) ask(t *testing.T, path string) (*http.Response, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = testHost
	req.Header.Set("Cookie", "__Host-hubgate=bob")
	req.Header.Set("Accept", "text/html")
	res, err := s.server.Client().Do(req)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, string(body), err
}

// holdBack makes the gate hold a response back until there is more than a buffer of it, however long the end of the
// origin's connection takes. Otherwise a busy machine sends its beginning after flushAfter.
func (s *stage) holdBack() { s.gate.proxy.FlushInterval = time.Hour }

func TestEarlyOriginFailureIsErrorPage(t *testing.T) {
	t.Parallel()
	const head = "HTTP/1.1 200 OK\r\nSet-Cookie: half=1\r\nX-Half: 1\r\n"
	for name, said := range map[string]string{
		"nothing":           "",
		"half a status":     "HTTP/1.1 2",
		"half a head":       head,
		"half a body":       head + "Content-Length: 100\r\n\r\n" + strings.Repeat("x", 50),
		"no body":           head + "Content-Length: 100\r\n\r\n",
		"half a chunk":      head + "Transfer-Encoding: chunked\r\n\r\n64\r\nxxx",
		"no last chunk":     head + "Transfer-Encoding: chunked\r\n\r\n3\r\nxxx\r\n",
		"a bad chunk":       head + "Transfer-Encoding: chunked\r\n\r\n3\r\nxxx\r\nzz\r\n",
		"a bad first chunk": head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
		"half an answer of a CDN's": head + "Content-Encoding: gzip\r\nContent-Length: 30000\r\n\r\n" +
			strings.Repeat("x", 20_000),
	} {
		for _, h2 := range []bool{false, true} {
			for _, path := range []string{"/public", "/members/x"} {
				s := newStage(t, staging{cfg: testConfig(says(t, said), loginRule("/members/**")), h2: h2})
				s.holdBack()
				res, body, err := s.ask(t, path)
				if err != nil || res.StatusCode != http.StatusBadGateway || !strings.Contains(body, s.last.Load().ID) {
					t.Errorf("%s, HTTP/2 %v, %s: %v %.80q %v", name, h2, path, res, body, err)
				} else if h := res.Header; h.Get("X-Half")+h.Get("Set-Cookie")+h.Get("Content-Encoding") != "" {
					t.Errorf("%s: the page has the headers of the other answer: %v", name, res.Header)
				}
			}
		}
	}
}

func TestEarlyOriginResetIsErrorPage(t *testing.T) {
	t.Parallel()
	s := newStage(t, staging{cfg: testConfig(rawSite(t, func(conn *net.TCPConn, _ *http.Request) {
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nxxx")
		conn.SetLinger(0)
	}))})
	s.holdBack()
	if res, body, err := s.ask(t, "/"); err != nil || res.StatusCode != http.StatusBadGateway {
		t.Errorf("%v %q %v", res, body, err)
	}
}

// A response that was begun must not look complete if the origin fails.
func TestLateOriginFailureAbortsResponse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ head, piece, rest string }{
		"of known length": {"Content-Length: 100000\r\n\r\n", strings.Repeat("x", 40<<10), "x"},
		"in chunks":       {"Transfer-Encoding: chunked\r\n\r\n", "3\r\nxxx\r\n", "zz\r\n"},
		"chunks, no end":  {"Transfer-Encoding: chunked\r\n\r\n", "3\r\nxxx\r\n", ""},
		"events": {"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
			"9\r\ndata: 1\n\n\r\n", ""},
	} {
		for _, h2 := range []bool{false, true} {
			seen := make(chan struct{})
			s := newStage(t, staging{h2: h2, cfg: testConfig(rawSite(t, func(conn *net.TCPConn, _ *http.Request) {
				io.WriteString(conn, "HTTP/1.1 200 OK\r\n"+c.head+c.piece)
				<-seen
				io.WriteString(conn, c.rest)
			}))})
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+"/", nil)
			req.Host = testHost
			res, err := s.server.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body := bufio.NewReader(res.Body)
			if _, err := body.ReadByte(); err != nil {
				t.Fatal(err)
			}
			close(seen)
			if rest, err := io.ReadAll(body); err == nil {
				t.Errorf("%s, HTTP/2 %v: it looks complete after %d bytes", name, h2, len(rest))
			}
			res.Body.Close()
		}
	}
}

// In HTTP/1.0 the end of the connection ends the response: only a reset shows that it is incomplete.
func TestLateOriginFailureResetsHTTP10(t *testing.T) {
	t.Parallel()
	for _, head := range []string{"Transfer-Encoding: chunked\r\n\r\n3\r\nxxx\r\n",
		"Content-Length: 1000000\r\n\r\n" + strings.Repeat("x", 40<<10)} {
		seen := make(chan struct{})
		s := newStage(t, staging{cfg: testConfig(rawSite(t, func(conn *net.TCPConn, _ *http.Request) {
			io.WriteString(conn, "HTTP/1.1 200 OK\r\n"+head)
			<-seen
		}))})
		conn := s.dial(t)
		defer conn.Close()
		io.WriteString(conn, "GET / HTTP/1.0\r\nHost: "+testHost+"\r\n\r\n")
		if _, err := io.ReadFull(conn, make([]byte, 15)); err != nil {
			t.Fatal(err)
		}
		close(seen)
		if rest, err := io.ReadAll(conn); err == nil {
			t.Errorf("it looks complete: %.100q", rest)
		}
	}
}
