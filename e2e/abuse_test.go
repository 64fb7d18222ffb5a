package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// stall opens connections that send a beginning, and then neither send nor read. The returned function waits for their
// end and returns how many the server closed.
func stall(t *testing.T, n int, address, beginning string) (closed func() int) {
	t.Helper()
	var conns []net.Conn
	for range n {
		conn := dial(t, address)
		conns = append(conns, conn)
		if _, err := io.WriteString(conn, beginning); err != nil {
			t.Fatal(err)
		}
	}
	return func() int {
		var all sync.WaitGroup
		var count atomic.Int64
		for _, conn := range conns {
			all.Go(func() {
				conn.SetReadDeadline(time.Now().Add(60 * time.Second))
				_, err := io.Copy(io.Discard, conn)
				if timeout, ok := err.(net.Error); !ok || !timeout.Timeout() {
					count.Add(1)
				}
			})
		}
		all.Wait()
		return int(count.Load())
	}
}

// maxResident is far above what 2,000 slow connections need, and far below what buffering their answers would.
func maxResident() int {
	if raceEnabled {
		return 1500 << 20 // the detector's own memory
	}
	return 250 << 20
}

func TestSlowConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{config: config{"server.limits.header_timeout": "5s"}})
	s.origin.handle(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/endless" {
			for piece := make([]byte, 64<<10); ; {
				if _, err := w.Write(piece); err != nil {
					return
				}
			}
		}
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, "page")
	})
	g := s.serve()
	host := localhost(g.port)
	idle := g.residentBytes()
	slowHeaders := stall(t, 1000, host, "GET / HTTP/1.1\r\nHost: "+host+"\r\nX-Slow: ")
	stall(t, 700, host, "POST /contact HTTP/1.1\r\nHost: "+host+"\r\nContent-Length: 1000000\r\n\r\nhello")
	stall(t, 300, host, "GET /endless HTTP/1.1\r\nHost: "+host+"\r\n\r\n")
	most := 0
	k := &keepAlive{address: host}
	defer k.close()
	for range 50 {
		if status, err := k.do("GET", "/pricing", ""); err != nil || status != http.StatusOK {
			t.Errorf("another visitor: %d %v", status, err)
		}
		most = max(most, g.residentBytes())
	}
	if n := slowHeaders(); n != 1000 {
		t.Errorf("%d of 1000 connections with an incomplete header were closed", n)
	}
	most = max(most, g.residentBytes())
	t.Logf("%d MiB before, at most %d MiB with 2000 slow connections", idle>>20, most>>20)
	if most > maxResident() {
		t.Errorf("%d MiB", most>>20)
	}
}

func TestOversizedRequestsAreRejected(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	host := localhost(s.serve().port)
	var lines strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&lines, "X-%d: y\r\n", i)
	}
	const get, chunked = "GET / HTTP/1.1\r\nHost: H\r\n", "Connection: close\r\nTransfer-Encoding: chunked\r\n"
	form := "POST /oauth2/sign_out HTTP/1.1\r\nHost: H\r\nOrigin: " + s.url +
		"\r\nContent-Type: application/x-www-form-urlencoded\r\n"
	long := strings.Repeat("x", 1<<20)
	for name, c := range map[string]struct{ head, body, status string }{
		"10,000 headers":     {get + lines.String(), "", "431"},
		"a header of 1 MiB":  {get + "X-Large: " + long + "\r\n", "", "431"},
		"a cookie of 40 KiB": {get + "Cookie: a=" + long[:40<<10] + "\r\n", "", "431"},
		"a path of 100 KiB":  {"GET /" + long[:100<<10] + " HTTP/1.1\r\nHost: H\r\n", "", "431"},
		"a path of 16 KiB":   {"GET /" + long[:16<<10] + " HTTP/1.1\r\nHost: H\r\nConnection: close\r\n", "", "400"},
		"a form of 70 kB":    {form + "Content-Length: 70000\r\n", long[:70_000], "413"},
		"an announced form":  {form + "Content-Length: 70000\r\n", "", "413"},
		"a chunked form":     {form + chunked, "15f90\r\n" + long[:90_000] + "\r\n0\r\n\r\n", "413"},
		"an unexpected body": {"GET /oauth2/callback HTTP/1.1\r\nHost: H\r\nContent-Length: 5\r\n", "", "400"},
		"an unknown page":    {"POST /oauth2/nothing HTTP/1.1\r\nHost: H\r\nContent-Length: 5\r\n", "", "404"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer, closed := sendRaw(t, host, strings.Replace(c.head, "Host: H", "Host: "+host, 1)+"\r\n"+c.body)
			if statusOf(answer) != c.status || !closed {
				t.Errorf("status %q, want %s; closed %v", statusOf(answer), c.status, closed)
			}
		})
	}
}

// A label for each path, host or method would let visitors create series without limit (CWE-770).
func TestMetricSeriesDoNotGrowWithRequests(t *testing.T) {
	t.Parallel()
	g := newSite(t, options{}).serve()
	send := func(from, n int) int {
		for i := from; i < from+n; i++ {
			conn := dial(t, localhost(g.port))
			fmt.Fprintf(conn, "M%d /p%d?q=%d HTTP/1.1\r\nHost: %s\r\nUser-Agent: u%d\r\nConnection: close\r\n\r\n",
				i, i, i, localhost(g.port), i)
			fmt.Fprintf(conn, "GET /oauth2/x%d HTTP/1.1\r\nHost: %s\r\n\r\n", i, localhost(g.port))
			http.ReadResponse(bufio.NewReader(conn), nil)
			conn.Close()
		}
		return strings.Count(g.text("/metrics"), "\nhubgate_")
	}
	first := send(0, 20)
	if now := send(20, 200); now != first {
		t.Errorf("%d series, then %d", first, now)
	}
}
