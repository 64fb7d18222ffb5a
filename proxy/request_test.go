package proxy

import (
	"net/http"
	"strings"
	"testing"
)

func TestBodyOverLimitIs413(t *testing.T) {
	t.Parallel()
	origin := newOrigin(t, headersOf)
	cfg := testConfig(origin.URL)
	cfg.MaxRequestBody = 8
	s := newStage(t, staging{cfg: cfg})
	head := "POST / HTTP/1.1\r\nHost: " + testHost + "\r\n"
	for name, c := range map[string]struct{ request, want string }{
		"declared": {head + "Content-Length: 9\r\n\r\n123456789", "HTTP/1.1 413 "},
		"chunked": {head + "Transfer-Encoding: chunked\r\n\r\n9\r\n123456789\r\n0\r\n\r\n",
			"HTTP/1.1 413 "},
		"just fits":              {head + "Content-Length: 8\r\nConnection: close\r\n\r\n12345678", "HTTP/1.1 200 "},
		"over, without its body": {head + "Content-Length: 1000000\r\nConnection: close\r\n\r\n", "HTTP/1.1 413 "},
	} {
		if got := s.raw(t, c.request); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s", name, first(got))
		}
	}
}

func TestExpectContinueIsNotForwarded(t *testing.T) {
	t.Parallel()
	origin := newOrigin(t, headersOf)
	s := newStage(t, staging{cfg: testConfig(origin.URL)})
	head := "POST / HTTP/1.1\r\nHost: " + testHost + "\r\nConnection: close\r\nContent-Length: 2\r\n"
	if got := s.raw(t, head+"Expect: 200-maybe\r\n\r\nab"); !strings.HasPrefix(got, "HTTP/1.1 417 ") {
		t.Errorf("unknown: %s", first(got))
	}
	got := s.raw(t, head+"Expect: 100-continue\r\n\r\nab")
	if !strings.HasPrefix(got, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK") || strings.Contains(got, "\nExpect:") ||
		!strings.Contains(got, `"ab"`) {
		t.Errorf("100-continue: %s", got)
	}
}

func TestRequestTrailersAreDropped(t *testing.T) {
	t.Parallel()
	origin := newOrigin(t, headersOf)
	s := newStage(t, staging{cfg: testConfig(origin.URL)})
	got := s.raw(t, "POST / HTTP/1.1\r\nHost: "+testHost+"\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\n"+
		"Trailer: X-HS-Public-Host, X-Kept\r\n\r\n2\r\nab\r\n0\r\nX-HS-Public-Host: evil\r\nX-Kept: 1\r\n\r\n")
	if !strings.Contains(got, `"ab"`) || strings.Contains(got, "evil") || strings.Contains(got, "TRAILER") ||
		strings.Contains(got, "\nTrailer") || strings.Contains(got, "\nTe:") {
		t.Error(got)
	}
}

func TestFileNamesAreForwardedUnchanged(t *testing.T) {
	t.Parallel()
	seen := make(chan string, 1)
	origin := newOrigin(t, func(_ http.ResponseWriter, r *http.Request) { seen <- r.RequestURI })
	s := newStage(t, staging{cfg: testConfig(origin.URL, loginRule("/hubfs/private/**"))})
	for _, name := range []string{"Acme%E2%84%A2.pdf", "C%23.pdf", "My%2520File.pdf", "a;b.pdf", "What%3F.pdf",
		"Inc./logo.png", "%20lead.png",
		"100%25de%20plus.pdf", "a+b;c%23d%E2%84%A2.png"} {
		target := "/hubfs/" + name + "?width=3;00"
		if got := s.get(t, "GET", target, "Connection: close"); got.StatusCode != 200 {
			t.Errorf("%s: %d", target, got.StatusCode)
			continue
		}
		if got := <-seen; got != target {
			t.Errorf("%s was forwarded as %s", target, got)
		}
	}
}
