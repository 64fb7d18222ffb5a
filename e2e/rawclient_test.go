package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// sendRaw sends bytes. It returns all that the server answers, and whether the server closed the connection.
func sendRaw(t *testing.T, address, request string) (answer string, closed bool) {
	t.Helper()
	conn := dial(t, address)
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(conn)
	return string(text), err == nil || !errors.Is(err, os.ErrDeadlineExceeded)
}

// statusOf returns the status in an answer, or "".
func statusOf(answer string) string {
	line, _, _ := strings.Cut(answer, "\r\n")
	_, status, _ := strings.Cut(line, " ")
	status, _, _ = strings.Cut(status, " ")
	return status
}

// get sends a request to a replica and returns once the answer begins.
func get(t *testing.T, at, host, path string) *http.Response {
	t.Helper()
	conn := dial(t, at)
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %v %v", path, res, err)
	}
	return res
}

// keepAlive is an HTTP/1.1 client that keeps its connection as long as the server allows, and retries nothing.
type keepAlive struct {
	address, cookie string
	conn            net.Conn
	r               *bufio.Reader
}

// do sends a request and returns its status. Only an answer with "Connection: close" may end the connection.
func (k *keepAlive) do(method, path, body string) (int, error) {
	if k.conn == nil {
		conn, err := net.Dial("tcp", k.address)
		if err != nil {
			return 0, err
		}
		k.conn, k.r = conn, bufio.NewReader(conn)
	}
	k.conn.SetDeadline(time.Now().Add(30 * time.Second))
	_, port, _ := net.SplitHostPort(k.address)
	fmt.Fprintf(k.conn, "%s %s HTTP/1.1\r\nHost: localhost:%s\r\nAccept: text/html\r\nSec-Fetch-Mode: navigate\r\n"+
		"Sec-Fetch-Dest: document\r\n%sContent-Length: %d\r\n\r\n%s", method, path, port, k.cookie, len(body), body)
	res, err := http.ReadResponse(k.r, &http.Request{Method: method})
	if err != nil {
		k.close()
		return 0, err
	}
	_, err = io.Copy(io.Discard, res.Body)
	if err != nil || res.Close {
		k.close()
	}
	return res.StatusCode, err
}

func (k *keepAlive) close() {
	if k.conn != nil {
		k.conn.Close()
		k.conn = nil
	}
}

// openSocket opens a WebSocket, with lines of more headers, and checks that it echoes.
func openSocket(t *testing.T, at, path, host string, more ...string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn := dial(t, at)
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n", path, host,
		strings.Join(more, ""))
	r := bufio.NewReader(conn)
	res, err := http.ReadResponse(r, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("no WebSocket: %v %v", res, err)
	}
	wantEcho(t, conn, r)
	return conn, r
}

// wantEcho checks that a WebSocket echoes.
func wantEcho(t *testing.T, conn net.Conn, r *bufio.Reader) {
	t.Helper()
	conn.Write([]byte{0x81, 0x82, 0, 0, 0, 0, 'h', 'i'})
	frame := make([]byte, 4)
	if _, err := io.ReadFull(r, frame); err != nil || !strings.HasSuffix(string(frame), "hi") {
		t.Fatalf("the WebSocket echoes %q, %v", frame, err)
	}
}
