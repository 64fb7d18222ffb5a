package proxy

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
)

// rawSite is an origin that writes bytes to the connection: it is called for each request, and closes the connection
// when it returns.
func rawSite(t *testing.T, speak func(conn *net.TCPConn, r *http.Request)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					speak(conn.(*net.TCPConn), r)
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// says is an origin that responds the same to every request.
func says(t *testing.T, text string) string {
	return rawSite(t, func(conn *net.TCPConn, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		io.WriteString(conn, text)
	})
}
