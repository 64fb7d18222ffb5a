package proxy

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/hubgate/hubgate/internal/setting"
)

// unreading returns a stage whose origin reads the head of a request, but not the body.
func unreading(t *testing.T) *stage {
	t.Helper()
	done := make(chan struct{})
	site := rawSite(t, func(*net.TCPConn, *http.Request) { <-done })
	t.Cleanup(func() { close(done) })
	cfg := testConfig(site, loginRule("/members/**"))
	cfg.Timeouts.ResponseHeader = setting.Duration(300 * time.Millisecond)
	return newStage(t, staging{cfg: cfg})
}

const stalledHead = " HTTP/1.1\r\nHost: " + testHost + "\r\n" + asBob + "\r\nContent-Length: 100000000\r\n\r\n"

func TestStalledUploadIsErrorPage(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"/public", "/members/x"} {
		s := unreading(t)
		conn := s.dial(t)
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(20 * time.Second))
		go io.WriteString(conn, "POST "+target+stalledHead+strings.Repeat("x", 8<<20))
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: %v", target, err)
		}
		res.Body.Close()
		if o := s.last.Load().Outcome; res.StatusCode != http.StatusGatewayTimeout || o.Reason != "upstream_timeout" {
			t.Errorf("%s: %d, %s", target, res.StatusCode, o.Reason)
		}
		if n := testutil.ToFloat64(s.deps.Metrics.errors.WithLabelValues("timeout")); n != 1 {
			t.Errorf("%s: counted %v times", target, n)
		}
	}
}

// TestStalledUploadEndsWithVisitor checks that a visitor who hangs up while the origin reads nothing leaves no request
// behind: closing the server waits for those.
func TestStalledUploadEndsWithVisitor(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"POST", "PUT", "GET"} {
		s := unreading(t)
		conn := s.dial(t)
		conn.SetWriteDeadline(time.Now().Add(time.Second)) // more than all buffers hold is never taken
		io.WriteString(conn, method+" /members/x"+stalledHead+strings.Repeat("x", 64<<20))
		conn.Close()
		closed := make(chan struct{})
		go func() { s.server.Close(); close(closed) }()
		select {
		case <-closed:
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: requests of visitors who are gone are still there", method)
		}
	}
}
