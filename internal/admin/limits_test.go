package admin

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hubgate/hubgate/internal/configtest"
)

// pipeListener returns unbuffered connections: a write waits for its reader.
type pipeListener chan net.Conn

func (l pipeListener) Accept() (net.Conn, error) {
	conn, open := <-l
	if !open {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (l pipeListener) Close() error   { return nil }
func (l pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// dial returns the client's end of a new connection.
func (l pipeListener) dial() net.Conn {
	client, server := net.Pipe()
	l <- server
	return client
}

// withAdmin runs an admin listener inside a synctest bubble.
func withAdmin(t *testing.T, limit int, run func(t *testing.T, l pipeListener)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := &Server{
			Audit: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(), Pprof: true,
			Token: func() string { return configtest.AdminToken }, Health: func() Health { return Health{} },
		}
		l := make(pipeListener)
		server := &http.Server{Handler: a.Handler(), ReadHeaderTimeout: 5 * time.Second}
		go server.Serve(KeepNewest(l, limit))
		run(t, l)
		close(l)
		server.Close()
	})
}

const localHeader = " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + configtest.AdminToken + "\r\n"

// statusOf sends a request and returns the status of the response; 0 if there is none.
func statusOf(t *testing.T, conn net.Conn, request string) int {
	t.Helper()
	go io.WriteString(conn, request)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Error(err)
	}
	return res.StatusCode
}

// TestHangingClientBlocksNoOtherAndIsClosed has clients that send a request or a part of one and read nothing.
func TestHangingClientBlocksNoOtherAndIsClosed(t *testing.T) {
	for name, request := range map[string]string{
		"scrape":        "GET /metrics" + localHeader + "\r\n",
		"probe":         "GET /readyz" + localHeader + "\r\n",
		"profile":       "GET /debug/pprof/" + localHeader + "\r\n",
		"half a header": "GET /metrics" + localHeader,
		"half a body": "POST /api/contacts/send" + localHeader +
			"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
		"nothing":       "",
		"many requests": strings.Repeat("GET /metrics"+localHeader+"\r\n", 5),
		"refused host":  "GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			withAdmin(t, 2000, func(t *testing.T, l pipeListener) {
				var hanging []net.Conn
				for range 500 {
					conn := l.dial()
					hanging = append(hanging, conn)
					go io.WriteString(conn, request)
				}
				synctest.Wait()
				for _, path := range []string{"/metrics", "/livez", "/readyz"} {
					conn := l.dial()
					if got := statusOf(t, conn, "GET "+path+localHeader+"Connection: close\r\n\r\n"); got != http.StatusOK {
						t.Errorf("%s: status %d", path, got)
					}
					conn.Close()
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				for _, conn := range hanging {
					conn.SetReadDeadline(time.Now().Add(time.Second))
					if _, err := io.Copy(io.Discard, conn); err != nil && !strings.Contains(err.Error(), "closed") {
						t.Fatalf("the connection is still open: %v", err)
					}
					conn.Close()
				}
			})
		})
	}
}

func TestListenerClosesTheOldestConnection(t *testing.T) {
	withAdmin(t, 3, func(t *testing.T, l pipeListener) {
		var all []net.Conn
		for range 5 {
			all = append(all, l.dial())
		}
		synctest.Wait()
		for i, conn := range all {
			want := http.StatusOK
			if i < 2 {
				want = 0
			}
			if got := statusOf(t, conn, "GET /livez"+localHeader+"\r\n"); got != want {
				t.Errorf("connection %d: status %d, want %d", i, got, want)
			}
		}
		all[4].Close()
		synctest.Wait()
		another := l.dial()
		if got := statusOf(t, all[2], "GET /livez"+localHeader+"\r\n"); got != http.StatusOK {
			t.Errorf("the oldest connection was closed although there was room: %d", got)
		}
		another.Close()
		for _, conn := range all {
			conn.Close()
		}
	})
}

func TestProfileDurationIsLimited(t *testing.T) {
	withAdmin(t, 3, func(t *testing.T, l pipeListener) {
		for seconds, want := range map[string]int{"301": 400, "999999999": 400, "40": 200} {
			conn := l.dial()
			request := "GET /debug/pprof/allocs?seconds=" + seconds + localHeader + "Connection: close\r\n\r\n"
			if got := statusOf(t, conn, request); got != want {
				t.Errorf("%s seconds: status %d, want %d", seconds, got, want)
			}
			conn.Close()
		}
	})
}

// TestStalledBodyGetsAResponse checks that a client whose body stops halfway is not left without a response.
func TestStalledBodyGetsAResponse(t *testing.T) {
	for name, request := range map[string]string{
		"half a replay":  "POST /api/contacts/replay" + localHeader + "Content-Length: 100\r\n\r\n{\"all\":",
		"half a contact": "POST /api/contacts/send" + localHeader + "Content-Length: 100\r\n\r\n{",
		"no body":        "POST /api/contacts/replay" + localHeader + "Content-Length: 100\r\n\r\n",
		"half a chunk":   "POST /api/contacts/replay" + localHeader + "Transfer-Encoding: chunked\r\n\r\n40\r\n{",
	} {
		t.Run(name, func(t *testing.T) {
			withAdmin(t, 3, func(t *testing.T, l pipeListener) {
				conn := l.dial()
				defer conn.Close()
				if got := statusOf(t, conn, request); got != http.StatusBadRequest {
					t.Errorf("status %d, want %d", got, http.StatusBadRequest)
				}
			})
		})
	}
}
