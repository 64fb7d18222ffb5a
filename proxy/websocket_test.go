package proxy

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/hubgate/hubgate/proxy/fakesite"
)

// endings plays the session manager's broadcast.
type endings struct {
	mu       sync.Mutex
	channels map[string]chan struct{}
	waiting  atomic.Int64
	admitted atomic.Bool
}

func (e *endings) ended(ref string) (<-chan struct{}, func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.channels[ref] == nil {
		e.channels[ref] = make(chan struct{})
	}
	e.waiting.Add(1)
	return e.channels[ref], func() { e.waiting.Add(-1) }
}

func (e *endings) end(ref string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	close(e.channels[ref])
	delete(e.channels, ref)
}

func openStage(t *testing.T) (*stage, *endings, chan struct{}) {
	e := &endings{channels: map[string]chan struct{}{}}
	e.admitted.Store(true)
	replaced := make(chan struct{})
	origin := newOrigin(t, fakesite.New(fakesite.Config{}).ServeHTTP)
	s := newStage(t, staging{cfg: testConfig(origin.URL, loginRule("/members/**")), change: func(d *Deps) {
		d.Ended, d.Replaced = e.ended, func() <-chan struct{} { return replaced }
		d.Redecide = func(o Open) bool {
			return e.admitted.Load() && o.Path.String() == "/members/echo" || e.admitted.Load() && o.Session.Ref == "bob"
		}
	}})
	return s, e, replaced
}

const upgrade = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

func (s *stage) openSocket(t *testing.T, target string, headers ...string) (net.Conn, *bufio.Reader, *http.Response) {
	t.Helper()
	conn := s.dial(t)
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(conn, "GET "+target+" HTTP/1.1\r\nHost: "+testHost+"\r\n"+upgrade+strings.Join(append(headers, "", ""), "\r\n"))
	r := bufio.NewReader(conn)
	res, err := http.ReadResponse(r, &http.Request{Method: "GET"})
	if err != nil {
		t.Fatal(err)
	}
	return conn, r, res
}

func say(t *testing.T, conn net.Conn, r io.Reader, text string) {
	t.Helper()
	conn.Write(append([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}, text...))
	got := make([]byte, 2+len(text))
	if _, err := io.ReadFull(r, got); err != nil || string(got[2:]) != text {
		t.Fatalf("said %q, heard %q, %v", text, got, err)
	}
}

func TestAWebSocketIsJudgedAtItsUpgrade(t *testing.T) {
	t.Parallel()
	s, _, _ := openStage(t)
	for _, c := range []struct {
		name, target string
		headers      []string
		status       int
	}{
		{"in the open", "/workshop/echo", nil, 101},
		{"in the open, from elsewhere", "/workshop/echo", []string{"Origin: https://elsewhere.example"}, 101},
		{"nobody", "/members/echo", []string{"Origin: https://www.example.com"}, 401},
		{"nobody, as a navigation", "/members/echo", []string{navigate}, 401},
		{"bob", "/members/echo", []string{asBob, "Origin: https://www.example.com"}, 101},
		{"bob's program", "/members/echo", []string{asBob}, 101},
		{"bob's browser on somebody else's page", "/members/echo", []string{asBob, "Origin: https://evil.example"}, 403},
		{"plain http", "/members/echo", []string{asBob, "Origin: http://www.example.com"}, 403},
		{"sandboxed", "/members/echo", []string{asBob, "Origin: null"}, 403},
		{"two origins", "/members/echo", []string{asBob, "Origin: https://www.example.com", "Origin: https://evil.example"}, 403},
	} {
		if _, _, res := s.openSocket(t, c.target, c.headers...); res.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", c.name, res.StatusCode, c.status)
		}
	}
}

func TestAWebSocketEndsWithItsSession(t *testing.T) {
	t.Parallel()
	s, e, _ := openStage(t)
	conn, r, _ := s.openSocket(t, "/members/echo", asBob)
	say(t, conn, r, "hello")
	if n := testutil.ToFloat64(s.deps.Metrics.websockets); n != 1 {
		t.Errorf("%v open WebSockets are counted", n)
	}
	e.end("bob") // changed claims, say: still admitted
	say(t, conn, r, "still here")
	e.admitted.Store(false)
	e.end("bob")
	if _, err := r.ReadByte(); err == nil {
		t.Error("it goes on without a session")
	}
	if n := e.waiting.Load(); n != 0 {
		t.Errorf("%d watches were never given back", n)
	}
}

func TestAWebSocketIsJudgedAnewByAReload(t *testing.T) {
	t.Parallel()
	s, e, replaced := openStage(t)
	conn, r, _ := s.openSocket(t, "/members/echo", asBob)
	say(t, conn, r, "hello")
	e.admitted.Store(false)
	close(replaced)
	if _, err := r.ReadByte(); err == nil {
		t.Error("it goes on although the new rules do not admit it")
	}
}

func TestASessionThatEndedDuringTheUpgradeEndsTheWebSocket(t *testing.T) {
	t.Parallel()
	s, e, _ := openStage(t)
	e.admitted.Store(false)
	_, r, _ := s.openSocket(t, "/members/echo", asBob)
	if _, err := r.ReadByte(); err == nil {
		t.Error("it goes on")
	}
}

func TestAnEventStreamFlowsAndEndsWithItsSession(t *testing.T) {
	t.Parallel()
	s, e, _ := openStage(t)
	conn := s.dial(t)
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(conn, "GET /members/live HTTP/1.1\r\nHost: "+testHost+"\r\n"+asBob+"\r\n\r\n")
	r := bufio.NewReader(conn)
	res, err := http.ReadResponse(r, &http.Request{Method: "GET"})
	if err != nil || res.Header.Get("Cache-Control") != "private, no-store" {
		t.Fatalf("%v %v", err, res)
	}
	if line, err := bufio.NewReader(res.Body).ReadString('\n'); err != nil || !strings.HasPrefix(line, "id: 1") {
		t.Fatalf("%q %v", line, err)
	}
	e.admitted.Store(false)
	e.end("bob")
	if _, err := io.Copy(io.Discard, res.Body); err == nil {
		t.Error("it ended as if all had been said")
	}
}

func TestAnUpgradeToAnythingElseIsIgnored(t *testing.T) {
	t.Parallel()
	origin := newOrigin(t, headersOf)
	s := newStage(t, staging{cfg: testConfig(origin.URL)})
	got := s.get(t, "GET", "/", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")
	if got.StatusCode != 200 || strings.Contains(got.body, "Upgrade") || strings.Contains(got.body, "Http2-Settings") {
		t.Errorf("%d %s", got.StatusCode, got.body)
	}
}
