package proxy

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func smuggler(t *testing.T) (*stage, *atomic.Int64) {
	var reached atomic.Int64
	origin := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		reached.Add(1)
		io.Copy(io.Discard, r.Body)
	})
	return newStage(t, staging{cfg: testConfig(origin.URL, loginRule("/members/**"))}), &reached
}

const (
	hostLine = "Host: www.example.com\r\n"
	smuggled = "GET /members/ HTTP/1.1\r\n" + hostLine + "\r\n"
)

// ambiguousRequests are requests whose end two servers may see at different places (CWE-444), and what else is not
// HTTP/1.
var ambiguousRequests = map[string]string{
	"both lengths": "POST / HTTP/1.1\r\n" + hostLine +
		"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
	"both lengths, other order": "POST / HTTP/1.1\r\n" + hostLine +
		"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n" + smuggled,
	"two lengths": "POST / HTTP/1.1\r\n" + hostLine +
		"Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + smuggled,
	"the same length twice": "POST / HTTP/1.1\r\n" + hostLine +
		"Content-Length: 2\r\nContent-Length: 2\r\n\r\nab" + smuggled,
	"a list of lengths":  "POST / HTTP/1.1\r\n" + hostLine + "Content-Length: 2, 2\r\n\r\nab" + smuggled,
	"signed length":      "POST / HTTP/1.1\r\n" + hostLine + "Content-Length: +2\r\n\r\nab" + smuggled,
	"negative length":    "POST / HTTP/1.1\r\n" + hostLine + "Content-Length: -2\r\n\r\nab" + smuggled,
	"hexadecimal length": "POST / HTTP/1.1\r\n" + hostLine + "Content-Length: 0x2\r\n\r\nab" + smuggled,
	"empty length":       "POST / HTTP/1.1\r\n" + hostLine + "Content-Length:\r\n\r\n" + smuggled,
	"unknown coding": "POST / HTTP/1.1\r\n" + hostLine + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" +
		smuggled,
	"coding twice": "POST / HTTP/1.1\r\n" + hostLine +
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
	"list of codings": "POST / HTTP/1.1\r\n" + hostLine +
		"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + smuggled,
	"identity": "POST / HTTP/1.1\r\n" + hostLine +
		"Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nab" + smuggled,
	"vertical tab before chunked": "POST / HTTP/1.1\r\n" + hostLine +
		"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n" + smuggled,
	"quoted chunked": "POST / HTTP/1.1\r\n" + hostLine +
		"Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n" + smuggled,
	"space before the colon": "POST / HTTP/1.1\r\n" + hostLine + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" +
		smuggled,
	"tab before the colon": "POST / HTTP/1.1\r\n" + hostLine + "Content-Length\t: 2\r\n\r\nab" + smuggled,
	"folded coding": "POST / HTTP/1.1\r\n" + hostLine +
		"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + smuggled,
	"folded header":       "GET / HTTP/1.1\r\n" + hostLine + "X-A: b\r\n c\r\n\r\n",
	"folded first header": "GET / HTTP/1.1\r\n X-A: b\r\n" + hostLine + "\r\n",
	"chunked in HTTP/1.0": "POST / HTTP/1.0\r\n" + hostLine +
		"Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n0\r\n\r\n" + smuggled,
	"bare LF in the head":       "GET / HTTP/1.1\n" + hostLine + "\r\n",
	"bare LF at the head's end": "GET / HTTP/1.1\r\n" + hostLine + "\n",
	"bare CR in a header":       "GET / HTTP/1.1\r\n" + hostLine + "X-A: b\rX-B: c\r\n\r\n",
	"NUL in a header":           "GET / HTTP/1.1\r\n" + hostLine + "X-A: b\x00c\r\n\r\n",
	"name without a colon":      "GET / HTTP/1.1\r\n" + hostLine + "X-A\r\n\r\n",
	"empty name":                "GET / HTTP/1.1\r\n" + hostLine + ": b\r\n\r\n",
	"chunk extension": "POST / HTTP/1.1\r\n" + hostLine +
		"Transfer-Encoding: chunked\r\n\r\n2;a=b\r\nab\r\n0\r\n\r\n" + smuggled,
	"bare LF after a chunk's size": "POST / HTTP/1.1\r\n" + hostLine +
		"Transfer-Encoding: chunked\r\n\r\n2\nab\r\n0\r\n\r\n" + smuggled,
	"no CRLF after a chunk": "POST / HTTP/1.1\r\n" + hostLine +
		"Transfer-Encoding: chunked\r\n\r\n2\r\nabXX0\r\n\r\n" + smuggled,
	"0x chunk size": "POST / HTTP/1.1\r\n" + hostLine +
		"Transfer-Encoding: chunked\r\n\r\n0x2\r\nab\r\n0\r\n\r\n" + smuggled,
	"endless chunk size": "POST / HTTP/1.1\r\n" + hostLine +
		"Transfer-Encoding: chunked\r\n\r\n00000000000000002\r\nab\r\n0\r\n\r\n" + smuggled,
	"overflowing chunk size": "POST / HTTP/1.1\r\n" + hostLine +
		"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nab\r\n0\r\n\r\n" + smuggled,
	"negative chunk size": "POST / HTTP/1.1\r\n" + hostLine +
		"Transfer-Encoding: chunked\r\n\r\n-2\r\nab\r\n0\r\n\r\n" + smuggled,
	"space around a chunk size": "POST / HTTP/1.1\r\n" + hostLine +
		"Transfer-Encoding: chunked\r\n\r\n 2 \r\nab\r\n0\r\n\r\n" + smuggled,
	"folded trailer": "POST / HTTP/1.1\r\n" + hostLine +
		"Transfer-Encoding: chunked\r\n\r\n0\r\nX-A: b\r\n c\r\n\r\n" + smuggled,
	"two hosts":           "GET / HTTP/1.1\r\n" + hostLine + "Host: evil.example\r\n\r\n",
	"no host":             "GET / HTTP/1.1\r\n\r\n",
	"preface of HTTP/2":   "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	"HTTP/0.9":            "GET /\r\n",
	"HTTP/1.2":            "GET / HTTP/1.2\r\n" + hostLine + "\r\n",
	"space in the target": "GET /a b HTTP/1.1\r\n" + hostLine + "\r\n",
	"two spaces":          "GET  / HTTP/1.1\r\n" + hostLine + "\r\n",
}

func TestAmbiguousFramingIsRefused(t *testing.T) {
	t.Parallel()
	s, _ := smuggler(t)
	for name, request := range ambiguousRequests {
		got := s.raw(t, request)
		if !strings.HasPrefix(got, "HTTP/1.1 400 ") && !strings.HasPrefix(got, "HTTP/1.0 400 ") {
			t.Errorf("%s: want 400, got %q", name, first(got))
		}
		if strings.Count(got, "HTTP/1.1 ") > 1 {
			t.Errorf("%s: what followed was answered too:\n%s", name, got)
		}
	}
}

func first(s string) string {
	line, _, _ := strings.Cut(s, "\r\n")
	return line
}

func TestPipelinedRequestsPass(t *testing.T) {
	t.Parallel()
	s, reached := smuggler(t)
	host := "Host: www.example.com\r\n"
	end := "GET /end HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n"
	for _, c := range []struct {
		name, request string
		answers       int
	}{
		{"length", "POST / HTTP/1.1\r\n" + host + "Content-Length: 3\r\n\r\nabc" + end, 2},
		{"leading zeros", "POST / HTTP/1.1\r\n" + host + "Content-Length: 003\r\n\r\nabc" + end, 2},
		{"no body", "GET /a HTTP/1.1\r\n" + host + "\r\nGET /b HTTP/1.1\r\n" + host + "\r\n" + end, 3},
		{"chunked ends the connection", "POST / HTTP/1.1\r\n" + host +
			"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-T: u\r\n\r\n" + end, 1},
		{"empty line between requests", "POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\n\r\na\r\n" + end, 2},
		{"public, then protected", "GET /a HTTP/1.1\r\n" + host +
			"\r\nGET /members/ HTTP/1.1\r\nConnection: close\r\n" + host + "\r\n", 2},
	} {
		before := reached.Load()
		got := s.raw(t, c.request)
		if n := strings.Count(got, "HTTP/1.1 "); n != c.answers || strings.Contains(got, "HTTP/1.1 400") {
			t.Errorf("%s: %d answers, want %d:\n%s", c.name, n, c.answers, got)
		}
		if c.name == "public, then protected" &&
			(reached.Load()-before != 1 || !strings.Contains(got, "HTTP/1.1 401 ")) {
			t.Errorf("%s: the second request was judged by the first's decision:\n%s", c.name, got)
		}
	}
}

func TestBrokenBodyIsClientError(t *testing.T) {
	t.Parallel()
	s, _ := smuggler(t)
	got := s.raw(t, "POST / HTTP/1.1\r\nHost: www.example.com\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 400 ") || !strings.Contains(got, "Connection: close") {
		t.Errorf("want a 400 that closes, got %q", got)
	}
}

func TestMissingBodyDelaysNoResponse(t *testing.T) {
	t.Parallel()
	s, reached := smuggler(t)
	for _, target := range []string{"/members/a", "/pricing?hsDebug=1"} {
		conn := s.dial(t)
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(2 * time.Second)) // before the server gives the body up
		io.WriteString(conn, "POST "+target+" HTTP/1.1\r\nHost: "+testHost+"\r\nContent-Length: 10\r\n\r\n")
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || res.StatusCode < 400 || reached.Load() != 0 {
			t.Errorf("%s: %v, %v", target, res, err)
		}
	}
}
