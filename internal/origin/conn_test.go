package origin

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestHeadsAreBounded(t *testing.T) {
	t.Parallel()
	informed := strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 7)
	for name, c := range map[string]struct {
		answer string
		want   error
	}{
		"1xx before":       {informed + okay + "ok", nil},
		"endless 1xx":      {strings.Repeat(informed, 1000), errHead},
		"status below 100": {"HTTP/1.1 099 Odd\r\nContent-Length: 40\r\n\r\n" + okay + "evil", errStatus},
		"status 000":       {"HTTP/1.1 000 Odd\r\nContent-Length: 40\r\n\r\n" + okay + "evil", errStatus},
		"too long":         {"HTTP/1.1 200 OK\r\nX-Long: " + strings.Repeat("x", maxHead+16<<10) + "\r\n\r\n", errHead},
		"too many lines":   {"HTTP/1.1 200 OK\r\n" + strings.Repeat("X-A: 1234567890\r\n", maxHead/16), errHead},
		"another protocol": {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", errStatus},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := serveScript(t, func(conn net.Conn, in *bufio.Reader, n int) {
				readRequest(in)
				send(conn, c.answer)
				readRequest(in)
			})
			got, err := tr.ask(t.Context(), "/")
			if !errors.Is(err, c.want) || (err == nil && got != "ok") {
				t.Errorf("%q, %v; want %v", got, err, c.want)
			}
		})
	}
}

// inMemory adds a connection in memory to the transport's pool, for tests of timeouts.
func inMemory(tr *Transport) (net.Conn, *bufio.Reader) {
	ours, theirs := net.Pipe()
	c := newConn(&tr.pool, ours, tr.cfg.ResponseHeader)
	c.line.raw = always{}
	tr.pool.give(c)
	return theirs, bufio.NewReader(theirs)
}

// always is a socket without pending data.
type always struct{}

func (always) Control(func(uintptr)) error    { return nil }
func (always) Write(func(uintptr) bool) error { return nil }
func (always) Read(f func(uintptr) bool) error {
	f(^uintptr(0))
	return errNothing
}

func TestResponseHeaderTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tr := reach(t, "http://origin.example", func(c *Config) { c.ResponseHeader, c.Idle = 8*time.Second, 0 })
		conn, in := inMemory(tr)
		go func() {
			readRequest(in)
			time.Sleep(7 * time.Second)
			send(conn, okay+"o")
			time.Sleep(time.Hour)
			send(conn, "k")
			time.Sleep(time.Hour)
			readRequest(in)
			time.Sleep(7 * time.Second)
			send(conn, okay+"ok")
			readRequest(in)
		}()
		mustAsk(t, tr, "/slow", "ok")
		time.Sleep(time.Hour)
		mustAsk(t, tr, "/after an hour", "ok")
		start := time.Now()
		_, err := tr.ask(t.Context(), "/never")
		if took := time.Since(start); !isTimeout(err) || took < 8*time.Second || took > 9*time.Second {
			t.Errorf("%v after %v", err, took)
		}
	})
}

func TestResponseHeaderTimeoutOfNewConnection(t *testing.T) {
	t.Parallel()
	tr := serveScript(t, func(conn net.Conn, in *bufio.Reader, n int) { readRequest(in); readRequest(in) },
		func(c *Config) { c.ResponseHeader = 10 * time.Millisecond })
	if got, err := tr.ask(t.Context(), "/"); !isTimeout(err) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestExpiredDeadlineKeepsConnection(t *testing.T) {
	t.Parallel()
	tr := serveScript(t, func(conn net.Conn, in *bufio.Reader, n int) {
		for readRequest(in) != nil {
			send(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"+strconv.Itoa(n))
		}
	})
	mustAsk(t, tr, "/", "1")
	c := tr.pool.free[0]
	c.limit = time.Unix(1, 0)
	c.conn.SetDeadline(c.limit)
	mustAsk(t, tr, "/", "1")
}

// TestPartialRecordDropsConnection checks a partial TLS record, which would become a response as soon as the rest
// arrives.
func TestPartialRecordDropsConnection(t *testing.T) {
	t.Parallel()
	served := make(chan net.Conn, 2)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	server.Config.ConnState = func(conn net.Conn, s http.ConnState) {
		if s == http.StateIdle {
			served <- conn
		}
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	tr := reach(t, server.URL, named).trust(server)
	mustAsk(t, tr, "/", "")
	first := tr.pool.free[0]
	(<-served).(*tls.Conn).NetConn().Write([]byte{23, 3, 3})
	mustAsk(t, tr, "/", "")
	if tr.pool.free[0] == first {
		t.Error("the connection was used again")
	}
}

func TestIdleTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tr := reach(t, "http://origin.example", func(c *Config) { c.Idle = time.Minute })
		first, _ := inMemory(tr)
		time.Sleep(40 * time.Second)
		second, _ := inMemory(tr)
		for _, end := range []struct {
			conn  net.Conn
			after time.Duration
		}{{first, 20 * time.Second}, {second, 40 * time.Second}} {
			start := time.Now()
			io.ReadAll(end.conn)
			if got := time.Since(start); got < end.after || got > end.after+sweepEvery {
				t.Errorf("closed after %v, want %v", got, end.after)
			}
		}
	})
}

func TestClosedConnectionsAreRemoved(t *testing.T) {
	t.Parallel()
	tr := serveScript(t, func(conn net.Conn, in *bufio.Reader, n int) { readRequest(in); send(conn, okay+"ok") })
	mustAsk(t, tr, "/", "ok")
	for tr.kept() > 0 { // until the FIN has arrived
		tr.pool.sweep()
	}
}

func TestBodyCloseDuringRead(t *testing.T) {
	t.Parallel()
	tr := serveScript(t, func(conn net.Conn, in *bufio.Reader, n int) {
		readRequest(in)
		send(conn, okay+"o")
		readRequest(in)
	})
	res, err := tr.RoundTrip(tr.request(t.Context(), "GET", "/"))
	if err != nil {
		t.Fatal(err)
	}
	one := make([]byte, 1)
	if _, err := io.ReadFull(res.Body, one); err != nil {
		t.Fatal(err)
	}
	go res.Body.Close()
	if n, err := res.Body.Read(one); n != 0 || err == nil || err == io.EOF {
		t.Errorf("%d, %v: a truncated response looks complete", n, err)
	}
	if tr.kept() > 0 {
		t.Error("a connection with an unread response was kept")
	}
}

func TestClosedBodyReturnsNoData(t *testing.T) {
	t.Parallel()
	tr := serveScript(t, func(conn net.Conn, in *bufio.Reader, n int) {
		readRequest(in)
		send(conn, okay+"ok")
		readRequest(in)
	})
	res, err := tr.RoundTrip(tr.request(t.Context(), "GET", "/"))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if got, err := io.ReadAll(res.Body); len(got) > 0 || err == nil {
		t.Errorf("%q, %v", got, err)
	}
}

// TestLateHeadIsTimeout checks that a head that stops in the middle of a line is reported as a timeout, not as a parse
// error.
func TestLateHeadIsTimeout(t *testing.T) {
	t.Parallel()
	for _, part := range []string{
		"", "H", "HTTP/1.1 200 OK\r\nX-Half", "HTTP/1.1 200 OK\r\nX-A: ha", "HTTP/1.1 200 OK\r\nX-A: 1\r\n",
	} {
		tr := serveScript(t, func(conn net.Conn, in *bufio.Reader, n int) {
			readRequest(in)
			send(conn, part)
			readRequest(in)
		}, func(c *Config) { c.ResponseHeader = 20 * time.Millisecond })
		if _, err := tr.ask(t.Context(), "/"); !isTimeout(err) {
			t.Errorf("%q: %v", part, err)
		}
	}
}

func TestIdleConnectionsAreLimited(t *testing.T) {
	t.Parallel()
	var p pool
	for range maxIdle + 1 {
		ours, _ := net.Pipe()
		p.give(newConn(&p, ours, 0))
	}
	if len(p.free) != maxIdle {
		t.Error(len(p.free))
	}
	p.close()
	if len(p.free) > 0 {
		t.Error("a connection is left after close")
	}
}

func TestTrailersArrive(t *testing.T) {
	t.Parallel()
	tr := serveScript(t, func(conn net.Conn, in *bufio.Reader, n int) {
		readRequest(in)
		send(conn,
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-End\r\n\r\n2\r\nok\r\n0\r\nX-End: 1\r\n\r\n")
		readRequest(in)
	})
	res, err := tr.RoundTrip(tr.request(t.Context(), http.MethodGet, "/"))
	if err != nil {
		t.Fatal(err)
	}
	io.ReadAll(res.Body)
	if res.Trailer.Get("X-End") != "1" {
		t.Error(res.Trailer)
	}
}
