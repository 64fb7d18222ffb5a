package e2e

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/proxy/fakesite"
)

// live has the open connections of one person, each at another replica.
type live struct {
	t          *testing.T
	conn       net.Conn // a WebSocket
	fromSocket *bufio.Reader
	stream     *bufio.Reader // an event stream
}

// connects opens connections to a page of customers.
func (s *site) connects(v *visitor) *live {
	s.t.Helper()
	l, cookie := &live{t: s.t}, s.cookieLine(v)
	l.conn, l.fromSocket = openSocket(s.t, local(s.gateways[0].port), "/customers/echo", localhost(s.port), cookie)
	conn := dial(s.t, local(s.gateways[1].port))
	io.WriteString(conn, "GET /customers/live HTTP/1.1\r\nHost: "+localhost(s.port)+"\r\n"+cookie+"\r\n")
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || res.StatusCode != http.StatusOK {
		s.t.Fatalf("no event stream: %v %v", res, err)
	}
	l.stream = bufio.NewReader(res.Body)
	l.goesOn()
	return l
}

// goesOn checks that the connections are open.
func (l *live) goesOn() {
	l.t.Helper()
	wantEcho(l.t, l.conn, l.fromSocket)
	if line, err := l.stream.ReadString('\n'); err != nil {
		l.t.Fatalf("the event stream ends: %q %v", line, err)
	}
}

// ends checks that the connections are closed: the WebSocket by a Close frame with the code 1008 (RFC 6455, section
// 7.4.1), the stream so that it is not complete.
func (l *live) ends() {
	l.t.Helper()
	if rest, err := io.ReadAll(l.fromSocket); err != nil || !bytes.HasPrefix(rest, []byte{0x88, 0x02, 0x03, 0xf0}) {
		l.t.Errorf("the WebSocket ends with %q, %v", rest, err)
	}
	if _, err := io.Copy(io.Discard, l.stream); err == nil || strings.Contains(err.Error(), "timeout") {
		l.t.Errorf("the event stream ends with %v", err)
	}
}

// Only the connections themselves use what HubSpot said: no page is requested meanwhile.
func TestOpenConnectionsEndWithMembership(t *testing.T) {
	t.Parallel()
	s := newAccessSite(t, options{routed: true, config: soon})
	pages := fakesite.New(fakesite.Config{})
	s.origin.handle(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = strings.Replace(r.URL.Path, "/customers/", "/members/", 1)
		pages.ServeHTTP(w, r)
	})
	s.serve()
	s.serve()
	s.contact("ada", "", customersList)
	s.contact("ben", "", customersList)
	ada, ben := s.person("ada", nil), s.person("ben", nil)
	s.enters(ada, "/members/")
	s.enters(ben, "/members/")
	hers, his := s.connects(ada), s.connects(ben)
	s.contact("ada", "", betaList)
	hers.ends()
	his.goesOn()
	s.contact("ben", "")
	his.ends()
}
