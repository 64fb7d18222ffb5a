package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/proxy/fakesite"
)

// sentSite is a gateway with two public rules and a listener of each protocol.
type sentSite struct {
	*running
	h1, h2 *httptest.Server
}

func newSentSite(t *testing.T) *sentSite {
	t.Helper()
	origin := httptest.NewServer(fakesite.New(fakesite.Config{}))
	t.Cleanup(origin.Close)
	yaml := strings.NewReplacer("http://127.0.0.1:9", origin.URL, "  tests:",
		"    - {path: /workshop/**, access: public, name: workshop}\n  tests:").Replace(reloadYAML)
	s := &sentSite{running: startRunning(t, yaml, nil)}
	s.h1, s.h2 = httptest.NewServer(s.gateway), httptest.NewUnstartedServer(s.gateway)
	s.h2.EnableHTTP2 = true
	s.h2.StartTLS()
	t.Cleanup(s.h1.Close)
	t.Cleanup(s.h2.Close)
	return s
}

// get requests a page and returns its response, whose body the caller reads.
func (s *sentSite) get(server *httptest.Server, method, path string) *http.Response {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, server.URL+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Host = "localhost:8080"
	res, err := server.Client().Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { res.Body.Close() })
	return res
}

// sent returns hubgate_http_response_bytes_total of a rule, and whether there is one.
func (s *sentSite) sent(rule string) (float64, bool) {
	s.t.Helper()
	for _, metric := range gathered(s.t, s.gateway)["hubgate_http_response_bytes_total"].Metric {
		if metric.Label[0].GetValue() == rule {
			return metric.Counter.GetValue(), true
		}
	}
	return 0, false
}

// wantSent waits until a rule has sent so many bytes: they are counted after they were written.
func (s *sentSite) wantSent(rule string, want float64) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("%s has sent %v bytes", rule, want), func() bool {
		got, _ := s.sent(rule)
		if got > want {
			s.t.Fatalf("%s has sent %v bytes, want %v", rule, got, want)
		}
		return got == want
	})
}

func TestResponseBytesAreCountedByRuleInBothProtocols(t *testing.T) {
	t.Parallel()
	s := newSentSite(t)
	before, _ := s.sent("default")
	for _, server := range []*httptest.Server{s.h1, s.h2} {
		page, err := io.ReadAll(s.get(server, http.MethodGet, "/").Body)
		if err != nil || len(page) == 0 {
			t.Fatal(len(page), err)
		}
		s.wantSent("default", before+float64(len(page)))
		if res := s.get(server, http.MethodHead, "/"); res.StatusCode != http.StatusOK {
			t.Error(res.Status)
		}
		s.get(server, http.MethodHead, "/oauth2/nothing-there") // a page of hubgate's own
		before += float64(len(page))
		s.wantSent("default", before)
	}
	if own, _ := s.sent("_gateway"); own != 0 {
		t.Errorf("two HEAD requests have sent %v bytes", own)
	}
	for _, line := range s.log.with("request") {
		if line["method"] == "HEAD" && line["bytes"] != 0.0 {
			t.Errorf("logged %v", line)
		}
	}
}

func TestResponseBytesAreCountedWhileTheyAreSent(t *testing.T) {
	t.Parallel()
	s := newSentSite(t)
	event := bufio.NewReader(s.get(s.h2, http.MethodGet, "/workshop/live").Body)
	var total float64
	for range 3 { // an event, which has two lines and an empty one
		line, err := event.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		total += float64(len(line))
	}
	s.wantSent("workshop", total)
}

func TestResponseBytesOfAWebSocketAreItsFrames(t *testing.T) {
	t.Parallel()
	s := newSentSite(t)
	conn, err := net.Dial("tcp", s.h1.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /workshop/echo HTTP/1.1\r\nHost: localhost:8080\r\nConnection: Upgrade\r\n"+
		"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	in := bufio.NewReader(conn)
	if res, err := http.ReadResponse(in, nil); err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(res, err)
	}
	for n := 1; n <= 2; n++ {
		conn.Write([]byte{0x81, 0x82, 0, 0, 0, 0, 'h', 'i'})
		if _, err := io.ReadFull(in, make([]byte, 4)); err != nil {
			t.Fatal(err)
		}
		s.wantSent("workshop", float64(4*n)) // while it is open
	}
	conn.Close()
	eventually(t, "its line in the log", func() bool { return len(s.log.with("request")) == 1 })
	if line := s.log.with("request")[0]; line["bytes"] != 8.0 || line["status"] != 101.0 {
		t.Errorf("logged %v", line)
	}
	families := gathered(t, s.gateway)
	if n := families["hubgate_http_overhead_seconds"].Metric[0].Histogram.GetSampleCount(); n != 0 {
		t.Error("the lifetime of a WebSocket counts as overhead")
	}
	if codes := labelsOf(families["hubgate_http_request_duration_seconds"])["code"]; !slices.Contains(codes, "1xx") {
		t.Errorf("durations have the codes %v", codes)
	}
}

func TestResponseBytesComeAndGoWithTheirRules(t *testing.T) {
	t.Parallel()
	s := newSentSite(t)
	for _, rule := range []string{"/members/**", "workshop", "default", "_none", "_gateway"} {
		if got, exists := s.sent(rule); got != 0 || !exists {
			t.Errorf("%s begins with %v, %v", rule, got, exists)
		}
	}
	old := s.current.Load().handler
	s.edit("name: workshop", "name: courses")
	s.reloader.reload(true)
	if _, exists := s.sent("workshop"); exists {
		t.Error("a removed rule still has its series")
	}
	if _, exists := s.sent("courses"); !exists {
		t.Error("a new rule has no series")
	}
	// A request that began under the old rules ends after the reload.
	w := httptest.NewRecorder()
	old.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost:8080/workshop/nothing-there", nil))
	if _, exists := s.sent("workshop"); exists {
		t.Error("an old request brought the removed rule back")
	}
	s.wantSent("_none", float64(w.Body.Len()))
}
