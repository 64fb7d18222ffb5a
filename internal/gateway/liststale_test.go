package gateway

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// socket opens a WebSocket for members as a person.
func (s *listSite) socket(email string) (net.Conn, *bufio.Reader) {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.server.Listener.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(time.Minute))
	io.WriteString(conn, "GET /members/echo HTTP/1.1\r\nHost: localhost:8080\r\nCookie: "+s.cookies[email]+"\r\n"+
		"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	in := bufio.NewReader(conn)
	if res, err := http.ReadResponse(in, nil); err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		s.t.Fatalf("%v %v", res, err)
	}
	return conn, in
}

// While HubSpot does not answer, a connection that is open for hours ends when what was known about its person is too
// old, although nothing announces that.
func TestWebSocketEndsAtMaxStale(t *testing.T) {
	t.Parallel()
	s := newListSite(t)
	s.person(ada, "gold", "1234")
	s.login(ada, nil)
	conn, in := s.socket(ada)
	s.down.Store(true)
	s.pass(3 * time.Hour)
	s.want(ada, "/customers/", 200, "")
	io.WriteString(conn, "\x81\x82\x00\x00\x00\x00hi")
	frame := make([]byte, 4)
	if _, err := io.ReadFull(in, frame); err != nil || string(frame[2:]) != "hi" {
		t.Fatalf("before max_stale: % x, %v", frame, err)
	}
	// The connection is watched before that time is over.
	s.pass(time.Hour - 3*time.Second)
	if _, err := io.ReadFull(in, frame); err != nil || frame[0] != 0x88 || string(frame[2:]) != "\x03\xf0" { // 1008
		t.Errorf("% x, %v", frame, err)
	}
}
