package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// residentBytes is the memory that the process holds.
func (p *process) residentBytes() int {
	p.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if size, found := strings.CutPrefix(line, "VmRSS:"); found {
			kib, err := strconv.Atoi(strings.Fields(size)[0])
			if err != nil {
				p.t.Fatal(err)
			}
			return kib << 10
		}
	}
	p.t.Fatal("the process's memory is not told")
	return 0
}

// crowd opens connections that send a beginning and then nothing, and read nothing. It returns what waits for their end.
func crowd(t *testing.T, n int, site, beginning string) (ended func() int) {
	t.Helper()
	var conns []net.Conn
	for range n {
		conn, err := net.Dial("tcp", site)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		conns = append(conns, conn)
		if _, err := io.WriteString(conn, beginning); err != nil {
			t.Fatal(err)
		}
	}
	return func() int {
		var all sync.WaitGroup
		closed := make([]bool, n)
		for i, conn := range conns {
			all.Go(func() {
				conn.SetReadDeadline(time.Now().Add(60 * time.Second))
				_, err := io.Copy(io.Discard, conn)
				timeout, ok := err.(net.Error)
				closed[i] = !ok || !timeout.Timeout()
			})
		}
		all.Wait()
		count := 0
		for _, c := range closed {
			if c {
				count++
			}
		}
		return count
	}
}

// maxResident is far above what 2000 slow connections take, and far below what buffering their answers would.
func maxResident() int {
	if raceEnabled {
		return 1500 << 20 // the detector's own memory
	}
	return 250 << 20
}

func TestTwoThousandSlowConnectionsKeepNobodyWaitingAndTakeBoundedMemory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.replace("  drain_delay: 0s\n", "  drain_delay: 0s\n  limits: {header_timeout: 5s}\n")
	w.origin.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/endless" {
			for piece := make([]byte, 64<<10); ; {
				if _, err := rw.Write(piece); err != nil {
					return
				}
			}
		}
		io.Copy(io.Discard, r.Body)
		io.WriteString(rw, "page")
	})
	gw := w.serve()
	site := strings.TrimPrefix(w.site(), "http://")
	idle := gw.residentBytes()
	head := "GET / HTTP/1.1\r\nHost: " + site + "\r\nX-Slow: "
	slowHeads := crowd(t, 1000, site, head)
	crowd(t, 700, site, "POST /contact HTTP/1.1\r\nHost: "+site+"\r\nContent-Length: 1000000\r\n\r\nhello")
	crowd(t, 300, site, "GET /endless HTTP/1.1\r\nHost: "+site+"\r\n\r\n")
	most := 0
	k := &keepAlive{address: site}
	defer k.close()
	for range 50 {
		if status, err := k.ask("GET", "/pricing", ""); err != nil || status != http.StatusOK {
			t.Errorf("beside them: %d %v", status, err)
		}
		most = max(most, gw.residentBytes())
	}
	if n := slowHeads(); n != 1000 {
		t.Errorf("%d of 1000 headers that never came were given up", n)
	}
	most = max(most, gw.residentBytes())
	t.Logf("%d MiB before, at most %d MiB with 2000 slow connections", idle>>20, most>>20)
	if most > maxResident() {
		t.Errorf("%d MiB", most>>20)
	}
}

func TestWhatIsTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve()
	site := strings.TrimPrefix(w.site(), "http://")
	var lines strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&lines, "X-%d: y\r\n", i)
	}
	form := "Origin: " + w.site() + "\r\nContent-Type: application/x-www-form-urlencoded\r\n"
	for name, c := range map[string]struct{ head, body, status string }{
		"ten thousand headers":      {"GET / HTTP/1.1\r\nHost: H\r\n" + lines.String(), "", "431"},
		"a header of a megabyte":    {"GET / HTTP/1.1\r\nHost: H\r\nX-Large: " + strings.Repeat("x", 1<<20) + "\r\n", "", "431"},
		"a cookie of 40 kB":         {"GET / HTTP/1.1\r\nHost: H\r\nCookie: a=" + strings.Repeat("x", 40<<10) + "\r\n", "", "431"},
		"an address of 100 kB":      {"GET /" + strings.Repeat("x", 100<<10) + " HTTP/1.1\r\nHost: H\r\n", "", "431"},
		"an address of 16 kB":       {"GET /" + strings.Repeat("x", 16<<10) + " HTTP/1.1\r\nHost: H\r\nConnection: close\r\n", "", "400"},
		"a form of 70 kB":           {"POST /oauth2/sign_out HTTP/1.1\r\nHost: H\r\n" + form + "Content-Length: 70000\r\n", strings.Repeat("x", 70_000), "413"},
		"a form that is only said":  {"POST /oauth2/sign_out HTTP/1.1\r\nHost: H\r\n" + form + "Content-Length: 70000\r\n", "", "413"},
		"a form of unknown length":  {"POST /oauth2/sign_out HTTP/1.1\r\nHost: H\r\n" + form + "Connection: close\r\nTransfer-Encoding: chunked\r\n", "15f90\r\n" + strings.Repeat("x", 90_000) + "\r\n0\r\n\r\n", "413"},
		"a body that nobody wants":  {"GET /oauth2/callback HTTP/1.1\r\nHost: H\r\nContent-Length: 5\r\n", "", "400"},
		"a body of an unknown page": {"POST /oauth2/nothing HTTP/1.1\r\nHost: H\r\nContent-Length: 5\r\n", "", "404"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, closed := sendRaw(t, site, strings.Replace(c.head, "Host: H", "Host: "+site, 1)+"\r\n"+c.body)
			if status != c.status || !closed {
				t.Errorf("status %q, want %s; closed %v", status, c.status, closed)
			}
		})
	}
}

// A label for each path, host or method would be a series for each (DS-11).
func TestWhatVisitorsInventMakesNoMetricSeries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve()
	site := strings.TrimPrefix(w.site(), "http://")
	invent := func(from, n int) int {
		for i := from; i < from+n; i++ {
			conn, err := net.Dial("tcp", site)
			if err != nil {
				t.Fatal(err)
			}
			for _, host := range []string{site, fmt.Sprintf("h%d.example", i)} {
				fmt.Fprintf(conn, "M%d /p%d?q=%d HTTP/1.1\r\nHost: %s\r\nUser-Agent: u%d\r\nConnection: close\r\n\r\n", i, i, i, host, i)
				break
			}
			fmt.Fprintf(conn, "GET /oauth2/x%d HTTP/1.1\r\nHost: %s\r\n\r\n", i, site)
			http.ReadResponse(bufio.NewReader(conn), nil)
			conn.Close()
		}
		return strings.Count(adminText(w.adminPort, "/metrics"), "\nhubgate_")
	}
	first := invent(0, 20)
	if now := invent(20, 200); now != first {
		t.Errorf("%d series, then %d", first, now)
	}
}
