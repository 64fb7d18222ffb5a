package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// spanCollector receives spans as an OpenTelemetry collector does.
type spanCollector struct {
	*httptest.Server
	mu    sync.Mutex
	raw   []byte // all bytes received, decompressed
	spans []span
}

// span is a received span.
type span struct {
	name, trace, id, parent string
	kind                    otlp.Span_SpanKind
	links                   []string // trace ids
	attributes              map[string]string
	failed                  bool
}

func newSpanCollector(t *testing.T) *spanCollector {
	t.Helper()
	c := &spanCollector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var request collector.ExportTraceServiceRequest
		if err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" ||
			proto.Unmarshal(body, &request) != nil {
			t.Errorf("the collector received %s %s %v", r.Method, r.URL, r.Header)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		c.record(body, &request)
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *spanCollector) record(body []byte, request *collector.ExportTraceServiceRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw = append(c.raw, body...)
	for _, resource := range request.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, s := range scope.Spans {
				c.spans = append(c.spans, spanOf(s))
			}
		}
	}
}

func spanOf(s *otlp.Span) span {
	out := span{
		name: s.Name, kind: s.Kind, attributes: map[string]string{},
		trace: fmt.Sprintf("%x", s.TraceId), id: fmt.Sprintf("%x", s.SpanId), parent: fmt.Sprintf("%x", s.ParentSpanId),
		failed: s.Status.GetCode() == otlp.Status_STATUS_CODE_ERROR,
	}
	for _, link := range s.Links {
		out.links = append(out.links, fmt.Sprintf("%x", link.TraceId))
	}
	for _, a := range s.Attributes {
		out.attributes[a.Key] = attributeText(a.Value)
	}
	return out
}

func attributeText(v *common.AnyValue) string {
	switch v := v.Value.(type) {
	case *common.AnyValue_IntValue:
		return fmt.Sprint(v.IntValue)
	case *common.AnyValue_BoolValue:
		return fmt.Sprint(v.BoolValue)
	}
	return v.GetStringValue()
}

// named returns the spans with a name, in the order in which they were received.
func (c *spanCollector) named(name string) []span {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []span
	for _, s := range c.spans {
		if s.name == name {
			found = append(found, s)
		}
	}
	return found
}

// all returns the spans so far, and all bytes received.
func (c *spanCollector) all() (spans []span, raw string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]span{}, c.spans...), string(c.raw)
}

// wait waits for the n-th span with a name.
func (c *spanCollector) wait(t *testing.T, name string, n int) span {
	t.Helper()
	eventually(t, fmt.Sprintf("%d spans %q", n, name), func() bool { return len(c.named(name)) >= n })
	return c.named(name)[n-1]
}
