//go:build !notrace

package trace

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/hubgate/hubgate/internal/dependency"
)

// tracer returns a Tracer that sends to the handler, and its registry.
func tracer(t testing.TB, path string, collector http.HandlerFunc) (*Tracer, *prometheus.Registry) {
	t.Helper()
	server := httptest.NewServer(collector)
	t.Cleanup(server.Close)
	reg := prometheus.NewRegistry()
	tr, err := New(Config{Endpoint: server.URL + path, Sample: 1, Log: slog.New(slog.DiscardHandler), Registerer: reg})
	if err != nil {
		t.Fatal(err)
	}
	return tr, reg
}

func TestHangingCollectorDropsSpansAndBlocksNothing(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	tr, reg := tracer(t, "", func(http.ResponseWriter, *http.Request) { <-release })
	t.Cleanup(func() { close(release) })
	const all = 3 * queueSize
	for range all {
		_, span := tr.Start(t.Context(), "x", Internal)
		span.End()
	}
	counted := testutil.ToFloat64(tr.out.metrics.spans.WithLabelValues("dropped")) + float64(tr.out.waiting.Load()) +
		testutil.ToFloat64(tr.out.metrics.spans.WithLabelValues("failed"))
	if dropped := testutil.ToFloat64(tr.out.metrics.spans.WithLabelValues("dropped")); dropped == 0 || counted > all {
		t.Errorf("of %d spans %v were dropped, %v were counted", all, dropped, counted)
	}
	if n, err := testutil.GatherAndCount(reg, "hubgate_tracing_spans_total"); err != nil || n != 3 {
		t.Errorf("%d series, %v", n, err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tr.Close(over); !errors.Is(err, context.Canceled) {
		t.Errorf("Close waits for the collector: %v", err)
	}
}

func TestEndpointPathEndsInTracesPath(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"": "/v1/traces", "/": "/v1/traces", "/v1/traces": "/v1/traces",
		"/otlp": "/otlp/v1/traces", "/otlp/": "/otlp/v1/traces",
	} {
		got := make(chan string, 1)
		tr, _ := tracer(t, path, func(_ http.ResponseWriter, r *http.Request) { got <- r.URL.Path })
		_, span := tr.Start(t.Context(), "x", Internal)
		span.End()
		if err := tr.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if path := <-got; path != want {
			t.Errorf("%q leads to %s, not %s", path, want, path)
		}
	}
}

func TestNilTracerAllocatesNothing(t *testing.T) {
	tr, err := New(Config{})
	if tr != nil || err != nil {
		t.Fatal(tr, err)
	}
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		got, span := tr.Start(ctx, "x", Client)
		span.Name("y")
		span.Fail("word")
		span.End()
		if got != ctx {
			t.Error("another context")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if next := http.DefaultTransport; tr.Transport(dependency.IDP, next) != next {
		t.Error("the transport was wrapped")
	}
	if err := tr.Close(ctx); err != nil {
		t.Error(err)
	}
}

func TestTransportPropagatesTraceOnlyToProvider(t *testing.T) {
	t.Parallel()
	tr, _ := tracer(t, "", func(http.ResponseWriter, *http.Request) {})
	const foreign = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	for _, c := range []struct {
		name  dependency.Name
		sent  string // by the caller
		wants bool   // ours in its place
	}{
		{dependency.IDP, "", true}, {dependency.HubSpotSite, "", false},
		{dependency.HubSpotSite, foreign, true}, {dependency.HubSpotAPI, "", false},
	} {
		var got http.Header
		next := roundTripper(func(r *http.Request) (*http.Response, error) {
			got = r.Header
			return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(""))}, nil
		})
		ctx, span := tr.Request(t.Context(), "x", Parents{})
		req := httptest.NewRequest("GET", "http://elsewhere/", nil).WithContext(ctx)
		if c.sent != "" {
			req.Header.Set("Traceparent", c.sent)
		}
		if _, err := tr.Transport(c.name, next).RoundTrip(req); err != nil {
			t.Fatal(err)
		}
		span.End()
		sent := got.Get("Traceparent")
		ours := strings.HasPrefix(sent, "00-"+ID(ctx)+"-")
		if ours != c.wants || sent == Headers(ctx)["traceparent"] {
			t.Errorf("%s got %q", c.name, sent)
		}
		if req.Header.Get("Traceparent") != c.sent {
			t.Errorf("%s: the caller's request was changed", c.name)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// wellFormed matches the traceparent values that W3C Trace Context requires to be continued.
var wellFormed = regexp.MustCompile(`^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}`)

func FuzzTraceparent(f *testing.F) {
	tr, _ := tracer(f, "", func(http.ResponseWriter, *http.Request) {})
	for _, seed := range []string{
		"", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
		"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", "00-4bf9\r\n", strings.Repeat("0", 5000),
	} {
		f.Add(seed, "a=1", seed)
	}
	f.Fuzz(func(t *testing.T, parent, state, link string) {
		ctx, span := tr.Request(t.Context(), "x", Parents{parent, state, link})
		span.End()
		id := ID(ctx)
		if len(id) != 32 || !wellFormed.MatchString(Headers(ctx)["traceparent"]) {
			t.Fatalf("%q became %v", parent, Headers(ctx))
		}
		if m := wellFormed.FindStringSubmatch(parent); m == nil && strings.Contains(parent, id) {
			t.Errorf("%q is malformed and was continued", parent)
		}
	})
}

// TestFailingCollectorOnlyLosesSpans checks that a collector that rejects requests, breaks off or trickles its response
// blocks neither the creation of spans nor, beyond its deadline, Close.
func TestFailingCollectorOnlyLosesSpans(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	for name, collector := range map[string]http.HandlerFunc{
		"refuses": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"is busy": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"aborts":  func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"trickles": func(w http.ResponseWriter, _ *http.Request) {
			tick := time.NewTicker(10 * time.Millisecond)
			defer tick.Stop()
			for {
				w.Write([]byte(" "))
				w.(http.Flusher).Flush()
				select {
				case <-tick.C:
				case <-release:
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr, _ := tracer(t, "", collector)
			if name == "trickles" {
				t.Cleanup(func() { close(release) })
			}
			const all = 3 * queueSize
			for range all {
				_, span := tr.Start(t.Context(), "x", Internal)
				span.End()
			}
			over, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			closed := make(chan error)
			go func() { closed <- tr.Close(over) }()
			select {
			case <-closed:
			case <-time.After(time.Minute):
				t.Fatal("Close waits for the collector")
			}
			spans := tr.out.metrics.spans
			if n := testutil.ToFloat64(spans.WithLabelValues("sent")); n > 0 && name != "trickles" {
				t.Errorf("%v spans are counted as sent", n)
			}
			if testutil.ToFloat64(spans.WithLabelValues("dropped"))+testutil.ToFloat64(spans.WithLabelValues("failed"))+
				testutil.ToFloat64(spans.WithLabelValues("sent")) > all {
				t.Error("spans are counted twice")
			}
		})
	}
}
