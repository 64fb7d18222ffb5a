package stricthttp

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestPromptRespondsBeforeBody(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(Prompt(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/status":
			w.WriteHeader(http.StatusFound)
		case "/text":
			io.WriteString(w, "text")
		case "/early":
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusNoContent)
		case "/flushed":
			http.NewResponseController(w).Flush()
		case "/some":
			r.Body.Read(make([]byte, 1))
		case "/kept":
			io.Copy(io.Discard, r.Body)
		}
	})))
	t.Cleanup(server.Close)
	for _, path := range []string{"/status", "/text", "/early", "/flushed", "/nothing", "/some"} {
		for _, announced := range []string{"Content-Length: 3\r\n\r\nx", "Content-Length: 300000\r\n\r\nx",
			"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"} {
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(10 * time.Second)) // net/http would wait forever
			io.WriteString(conn, "POST "+path+" HTTP/1.1\r\nHost: a\r\n"+announced)
			in := bufio.NewReader(conn)
			res, err := http.ReadResponse(in, nil)
			if err == nil && res.StatusCode == http.StatusEarlyHints {
				res, err = http.ReadResponse(in, nil)
			}
			if err != nil || !res.Close {
				t.Errorf("%s, %q: %v %v", path, announced, res, err)
			}
		}
	}
	res, err := server.Client().Post(server.URL+"/kept", "text/plain", strings.NewReader("all of it"))
	if err != nil || res.Close {
		t.Errorf("a body that was read to its end costs the connection: %v, %v", res, err)
	}
}
