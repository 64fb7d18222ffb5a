package trace

import (
	"log/slog"
	"net/http"
	"strconv"

	"github.com/hubgate/hubgate/internal/dependency"
)

// Transport returns a RoundTripper that creates a span for every call to a dependency, until the response headers
// arrive. The login provider receives the trace's headers, because the operator may run it; the ids do not identify the
// visitor. The HubSpot site receives them only in place of those sent by a trusted proxy, the HubSpot API never.
func (t *Tracer) Transport(name dependency.Name, next http.RoundTripper) http.RoundTripper {
	if t == nil {
		return next
	}
	return &transport{tracer: t, name: name, next: next}
}

type transport struct {
	tracer *Tracer
	name   dependency.Name
	next   http.RoundTripper
}

// RoundTrip sends the request in a span named after the dependency and the operation.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	op := string(dependency.OpOf(r.Context(), t.name))
	ctx, span := t.tracer.Start(r.Context(), string(t.name)+" "+op, Client)
	defer span.End()
	span.Set(slog.String("hubgate.dependency", string(t.name)), slog.String("hubgate.op", op),
		slog.String("http.request.method", Method(r.Method)), slog.String("server.address", r.URL.Hostname()))
	if port, err := strconv.ParseInt(r.URL.Port(), 10, 64); err == nil {
		span.Set(slog.Int64("server.port", port))
	}
	out := r.WithContext(ctx)
	if t.name == dependency.IDP || (t.name == dependency.HubSpotSite && r.Header.Get("Traceparent") != "") {
		out.Header = r.Header.Clone() // a RoundTripper must not modify the request
		for header, value := range Headers(ctx) {
			out.Header.Set(header, value)
		}
	}
	res, err := t.next.RoundTrip(out)
	if err != nil {
		span.Fail(string(dependency.ResultOf(err)))
		return nil, err
	}
	span.Set(slog.Int("http.response.status_code", res.StatusCode))
	if res.StatusCode >= http.StatusBadRequest {
		span.Fail(strconv.Itoa(res.StatusCode))
	}
	return res, nil
}

// Method returns a request's method as an attribute, or _OTHER for an unknown one, because clients can send any.
func Method(method string) string {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE":
		return method
	}
	return "_OTHER"
}
