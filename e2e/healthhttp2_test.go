package e2e

import (
	"bytes"
	"net/http"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

func TestHealthPathOverHTTP2(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	transport := insecure(t, true)
	for method, want := range map[string]int{"GET": 200, "HEAD": 200, "OPTIONS": 200, "POST": 405} {
		req, err := http.NewRequest(method, "https://"+local(w.port)+"/healthz?x", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want || res.ProtoMajor != 2 {
			t.Errorf("%s: %s %d", method, res.Proto, res.StatusCode)
		}
	}
	if got := w.statusWithoutAuthority(); got != "200" {
		t.Errorf("without :authority: status %q", got)
	}
	w.leavesNoTrace()
}

// statusWithoutAuthority sends a health check in HTTP/2 that names no host, and returns the status of the answer.
func (w *watched) statusWithoutAuthority() string {
	w.t.Helper()
	c := dialH2(w.t, w.port)
	c.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	var head bytes.Buffer
	encoder := hpack.NewEncoder(&head)
	for _, f := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":path", "/healthz"}} {
		encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
	}
	c.head = head.Bytes()
	if err := c.request(1); err != nil {
		w.t.Fatal(err)
	}
	for {
		frame, err := c.ReadFrame()
		if err != nil {
			w.t.Fatal(err)
		}
		if f, ok := frame.(*http2.MetaHeadersFrame); ok {
			return f.PseudoValue("status")
		}
	}
}
