package proxy

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

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/hubgate/hubgate/proxy/fakesite"
)

// sessionEnds is a stub of the announcements of the session manager.
type sessionEnds struct {
	mu       sync.Mutex
	channels map[string]chan struct{}
	waiting  atomic.Int64
	admitted atomic.Bool
}

func (e *sessionEnds) ended(ref string) (<-chan struct{}, func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.channels[ref] == nil {
		e.channels[ref] = make(chan struct{})
	}
	e.waiting.Add(1)
	return e.channels[ref], func() { e.waiting.Add(-1) }
}

func (e *sessionEnds) end(ref string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if ch := e.channels[ref]; ch != nil { // else its watch has only just begun, and asks before it listens on
		close(ch)
		delete(e.channels, ref)
	}
}

func openStage(t *testing.T, change ...func(*stubs)) (*stage, *sessionEnds, chan struct{}) {
	e := &sessionEnds{channels: map[string]chan struct{}{}}
	e.admitted.Store(true)
	replaced := make(chan struct{})
	origin := newOrigin(t, fakesite.New(fakesite.Config{}).ServeHTTP)
	s := newStage(t, staging{cfg: testConfig(origin.URL, loginRule("/members/**")), change: func(d *stubs) {
		d.ended, d.replaced = e.ended, replaced
		d.redecide = func(o Open) bool {
			return o.Session == nil || e.admitted.Load() &&
				(o.Path.String() == "/members/echo" || o.Session.Ref == "bob")
		}
		for _, f := range change {
			f(d)
		}
	}})
	return s, e, replaced
}

const upgrade = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

func (s *stage) openSocket(t *testing.T, target string, headers ...string) (net.Conn, *bufio.Reader, *http.Response) {
	t.Helper()
	conn := s.dial(t)
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(conn, "GET "+target+" HTTP/1.1\r\nHost: "+testHost+"\r\n"+upgrade+strings.Join(append(headers, "",
		""), "\r\n"))
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

// readClose reads a Close frame's code, responds as a browser does, and waits for the end.
func readClose(conn net.Conn, r io.Reader) (code uint16, err error) {
	frame := make([]byte, 4)
	if _, err := io.ReadFull(r, frame); err != nil || frame[0] != 0x88 || frame[1] != 2 {
		return 0, fmt.Errorf("% x, %w", frame, err)
	}
	conn.Write([]byte{0x88, 0x82, 0, 0, 0, 0, frame[2], frame[3]})
	_, err = io.ReadFull(r, frame[:1])
	return uint16(frame[2])<<8 | uint16(frame[3]), err
}

func TestWebSocketUpgradeIsJudged(t *testing.T) {
	t.Parallel()
	s, _, _ := openStage(t)
	for _, c := range []struct {
		name, target string
		headers      []string
		status       int
	}{
		{"in the open", "/workshop/echo", nil, 101},
		{"in the open, from elsewhere", "/workshop/echo", []string{"Origin: https://elsewhere.example"}, 101},
		{"anonymous", "/members/echo", []string{"Origin: https://www.example.com"}, 401},
		{"anonymous, as a navigation", "/members/echo", []string{navigate}, 401},
		{"bob", "/members/echo", []string{asBob, "Origin: https://www.example.com"}, 101},
		{"bob's program", "/members/echo", []string{asBob}, 101},
		{"bob's browser on another site's page", "/members/echo", []string{asBob, "Origin: https://evil.example"},
			403},
		{"plain http", "/members/echo", []string{asBob, "Origin: http://www.example.com"}, 403},
		{"sandboxed", "/members/echo", []string{asBob, "Origin: null"}, 403},
		{"two origins", "/members/echo", []string{asBob, "Origin: https://www.example.com",
			"Origin: https://evil.example"}, 403},
	} {
		if _, _, res := s.openSocket(t, c.target, c.headers...); res.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", c.name, res.StatusCode, c.status)
		}
	}
}

func TestWebSocketEndsWithItsSession(t *testing.T) {
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
	if code, err := readClose(conn, r); code != policyViolation || err != io.EOF {
		t.Errorf("its end is told as %d, %v", code, err)
	}
	if n := e.waiting.Load(); n != 0 {
		t.Errorf("%d watches were never given back", n)
	}
}

func TestWebSocketIsJudgedAfterReload(t *testing.T) {
	t.Parallel()
	s, e, replaced := openStage(t)
	conn, r, _ := s.openSocket(t, "/members/echo", asBob)
	say(t, conn, r, "hello")
	e.admitted.Store(false)
	close(replaced)
	if code, err := readClose(conn, r); code != policyViolation || err != io.EOF {
		t.Errorf("its end is told as %d, %v", code, err)
	}
}

func TestWebSocketEndsIfSessionEndsDuringUpgrade(t *testing.T) {
	t.Parallel()
	s, e, _ := openStage(t)
	e.admitted.Store(false)
	conn, r, _ := s.openSocket(t, "/members/echo", asBob)
	if code, err := readClose(conn, r); code != policyViolation || err != io.EOF {
		t.Errorf("its end is told as %d, %v", code, err)
	}
}

func TestWebSocketEndsIfSessionVanishes(t *testing.T) {
	t.Parallel()
	s, e, _ := openStage(t, func(d *stubs) { d.recheck = 5 * time.Millisecond })
	conn, r, _ := s.openSocket(t, "/members/echo", asBob)
	say(t, conn, r, "hello")
	e.admitted.Store(false) // without a notification
	if code, err := readClose(conn, r); code != policyViolation || err != io.EOF {
		t.Errorf("its end is told as %d, %v", code, err)
	}
}

func TestEventStreamEndsWithItsSession(t *testing.T) {
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

func TestWebSocketIsClosedAfterGrace(t *testing.T) {
	t.Parallel()
	s, e, _ := openStage(t)
	conn, r, _ := s.openSocket(t, "/members/echo", asBob)
	say(t, conn, r, "hello")
	e.admitted.Store(false)
	e.end("bob")
	if code, err := readClose(conn, r); code != policyViolation || err != io.EOF {
		t.Fatalf("its end is told as %d, %v", code, err)
	}
	for tick := time.NewTicker(20 * time.Millisecond); ; <-tick.C { // keeps talking, and never hangs up
		if _, err := conn.Write([]byte{0x81, 0x82, 0, 0, 0, 0, 'h', 'i'}); err != nil {
			break
		}
	}
	if n := testutil.ToFloat64(s.deps.Metrics.websockets); n > 1 {
		t.Errorf("%v WebSockets are open", n)
	}
}

func TestShutdownEndsWebSocketsAndEventStreams(t *testing.T) {
	t.Parallel()
	leaving := make(chan struct{})
	s, _, _ := openStage(t, func(d *stubs) { d.Leaving = leaving })
	members, fromMembers, _ := s.openSocket(t, "/members/echo", asBob)
	open, fromOpen, _ := s.openSocket(t, "/workshop/echo")
	say(t, members, fromMembers, "hello")
	say(t, open, fromOpen, "hello")
	stream := s.dial(t)
	defer stream.Close()
	stream.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(stream, "GET /workshop/live HTTP/1.1\r\nHost: "+testHost+"\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(stream), &http.Request{Method: "GET"})
	if err != nil {
		t.Fatal(err)
	}
	close(leaving)
	for name, c := range map[string]struct {
		conn net.Conn
		r    io.Reader
	}{"a member's": {members, fromMembers}, "an open page's": {open, fromOpen}} {
		if code, err := readClose(c.conn, c.r); code != goingAway || err != io.EOF {
			t.Errorf("%s WebSocket ends with %d, %v", name, code, err)
		}
	}
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Errorf("the event stream broke off: %v", err)
	}
}

func TestUpgradeToOtherProtocolsIsIgnored(t *testing.T) {
	t.Parallel()
	origin := newOrigin(t, headersOf)
	s := newStage(t, staging{cfg: testConfig(origin.URL)})
	got := s.get(t, "GET", "/", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c",
		"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")
	if got.StatusCode != 200 || strings.Contains(got.body, "Upgrade") || strings.Contains(got.body, "Http2-Settings") {
		t.Errorf("%d %s", got.StatusCode, got.body)
	}
}
