package e2e

import (
	"strings"
	"testing"
)

// A request that net/http tolerates, but another server in front may delimit differently (request smuggling, CWE-444),
// is answered with 400 and the end of the connection.
func TestAmbiguousFramingIsRejected(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	host := strings.TrimPrefix(d.site, "http://")
	for name, raw := range map[string]string{
		"Content-Length and chunked": "POST / HTTP/1.1\r\nHost: H\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n" +
			"\r\n0\r\n\r\n",
		"two lengths":             "POST / HTTP/1.1\r\nHost: H\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
		"odd length":              "POST / HTTP/1.1\r\nHost: H\r\nContent-Length: +4\r\n\r\nabcd",
		"disguised chunked":       "POST / HTTP/1.1\r\nHost: H\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"space before colon":      "GET / HTTP/1.1\r\nHost : H\r\n\r\n",
		"folded header":           "GET / HTTP/1.1\r\nHost: H\r\nX-A: a\r\n b\r\n\r\n",
		"bare LF":                 "GET / HTTP/1.1\nHost: H\n\n",
		"two hosts":               "GET / HTTP/1.1\r\nHost: H\r\nHost: evil\r\n\r\n",
		"no host":                 "GET / HTTP/1.1\r\n\r\n",
		"HTTP/1.0 without a host": "GET / HTTP/1.0\r\n\r\n",
		"HTTP/2 preface":          "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"chunk extension":         "POST / HTTP/1.1\r\nHost: H\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\nx\r\n0\r\n\r\n",
		"broken chunk":            "POST / HTTP/1.1\r\nHost: H\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n0\r\n\r\n",
	} {
		answer, closed := sendRaw(t, host, strings.ReplaceAll(raw, "H\r\n", host+"\r\n"))
		status := statusOf(answer)
		if status != "400" && !(name == "HTTP/2 preface" && status == "505") || !closed {
			t.Errorf("%s: status %q, closed %v", name, status, closed)
		}
	}
}
