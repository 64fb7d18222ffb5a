package e2e

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// switcher is an origin that switches protocols although no request asks for it.
type switcher struct {
	port          int
	asked, permit chan struct{} // a request has come; the answer may be sent
}

func newSwitcher(t *testing.T, answer string) *switcher {
	t.Helper()
	s := &switcher{freePorts(t, 1), make(chan struct{}), make(chan struct{})}
	accept(listen(t, s.port), func(conn net.Conn) { s.serve(conn, answer) })
	return s
}

func (s *switcher) serve(conn net.Conn, answer string) {
	defer conn.Close()
	for in := bufio.NewReader(conn); ; {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		io.Copy(io.Discard, r.Body)
		if !strings.HasPrefix(r.URL.Path, "/members/switch") {
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			continue
		}
		s.asked <- struct{}{}
		<-s.permit
		io.WriteString(conn, answer)
		io.Copy(io.Discard, in)
		return
	}
}

// A 101 that the request did not ask for is an error of the origin, whether or not the session ends meanwhile. It must
// not end the process, over HTTP/1.1 and HTTP/2.
func TestUnrequested101IsABadGateway(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"websocket":   "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
		"h2c":         "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
		"no protocol": "HTTP/1.1 101 Switching Protocols\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			origin := newSwitcher(t, answer)
			s := newSite(t, options{https: true, config: config{"proxy.origin": address(origin.port)}})
			g := s.serve()
			for _, http2 := range []bool{true, false} {
				v := newVisitor(t)
				v.client.Transport = insecure(t, http2)
				if got := s.login(v, "/members/"); got.StatusCode != http.StatusOK {
					t.Fatalf("%d at %s", got.StatusCode, got.Request.URL)
				}
				answers := make(chan string)
				go func() { answers <- s.postForm(v, "/members/switch") }()
				<-origin.asked
				otherTab := *v
				client := *v.client
				otherTab.client, client.CheckRedirect = &client, stay
				otherTab.do(http.MethodPost, s.url+"/oauth2/sign_out", url.Values{})
				origin.permit <- struct{}{}
				if got := <-answers; got != "502" && got != "401" { // 401 if the end of the session was noticed first
					t.Errorf("HTTP/2 %v: %s", http2, got)
				}
				if got := v.open(s.url + "/"); got.StatusCode != http.StatusOK || got.ProtoMajor == 2 != http2 {
					t.Errorf("afterwards: %s %d", got.Proto, got.StatusCode)
				}
			}
			if status := g.terminate(); status != 0 {
				t.Errorf("exit status %d", status)
			}
		})
	}
}

// postForm sends a form and returns the status, or the error.
func (s *site) postForm(v *visitor, path string) string {
	res, err := v.client.Post(s.url+path, "application/x-www-form-urlencoded", strings.NewReader("a=b"))
	if err != nil {
		return err.Error()
	}
	res.Body.Close()
	return res.Status[:3]
}
