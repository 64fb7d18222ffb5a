package middleware

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
)

// A panic fails one request only: others, and the next one on the connection, are served.
func TestPanicShowsPageAndLogsCause(t *testing.T) {
	t.Parallel()
	pages, err := page.New(page.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	var lines bytes.Buffer
	f := &Chain{Pages: pages, Log: slog.New(slog.NewJSONHandler(&lines, nil))}
	facts := inbound.New(inbound.Config{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/bug":
			panic("a secret of the inside")
		case "/abort":
			panic(http.ErrAbortHandler)
		}
	})
	server := httptest.NewUnstartedServer(facts.Wrap(f.Recovered(handler)))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	server.Start()
	defer server.Close()
	for range 3 {
		res, err := server.Client().Get(server.URL + "/bug")
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != http.StatusInternalServerError || strings.Contains(string(body), "secret") {
			t.Errorf("%d %s", res.StatusCode, body)
		}
	}
	if n := strings.Count(lines.String(), `"msg":"panic in a handler"`); n != 3 {
		t.Errorf("%d lines", n)
	}
	if res, err := server.Client().Get(server.URL + "/abort"); err == nil {
		t.Errorf("a connection that is cut on purpose is answered: %d", res.StatusCode)
	}
	if res, err := server.Client().Get(server.URL + "/"); err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("the next request: %v %v", res, err)
	}
}

// A page after half of another response would look complete.
func TestPanicAfterFirstByteAbortsResponse(t *testing.T) {
	t.Parallel()
	pages, err := page.New(page.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	f := &Chain{Pages: pages, Log: slog.New(slog.DiscardHandler)}
	handler := f.Recovered(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/header":
			w.WriteHeader(http.StatusAccepted)
		case "/written":
			io.WriteString(w, "half of it")
		case "/flushed":
			io.WriteString(w, "half of it")
			w.(*Recorder).ResponseWriter.(http.Flusher).Flush()
		}
		panic("a bug")
	}))
	recording := func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(&Recorder{ResponseWriter: w}, r) }
	server := httptest.NewUnstartedServer(inbound.New(inbound.Config{}).Wrap(http.HandlerFunc(recording)))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	server.Start()
	defer server.Close()
	for _, path := range []string{"/header", "/written", "/flushed"} {
		res, err := server.Client().Get(server.URL + path)
		if err != nil {
			continue // nothing of it was sent
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err == nil {
			t.Errorf("%s: it looks complete: %d %q", path, res.StatusCode, body)
		}
	}
}
