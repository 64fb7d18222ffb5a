package middleware

import (
	"io"
	"net/http"
	"strconv"

	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/urlpath"
)

// HealthCheck answers the health checks of load balancers on the public listeners. They ask for an address of the
// machine, by http and often in HTTP/1.0 without a Host header, so it comes before host, scheme and rules. It serves
// nothing but its own text.
type HealthCheck struct {
	Path     string // none if there is no health path
	Draining func() bool
}

const healthMethods = "GET, HEAD, OPTIONS"

// Answer responds to a request for the health path and reports whether it is one. Only the exact spelling counts, so
// that no other address of the site is hidden. The Host and the query are ignored. Redis and the provider do not
// matter, because public pages are served without them.
func (h HealthCheck) Answer(w http.ResponseWriter, r *http.Request) bool {
	if h.Path == setting.None {
		return false
	}
	if path, err := urlpath.RawPath(r); err != nil || path != h.Path {
		return false
	}
	status, text := http.StatusOK, "ok"
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodOptions:
		status, text = http.StatusMethodNotAllowed, "use "+healthMethods
	case h.Draining():
		status, text = http.StatusServiceUnavailable, "draining"
	}
	if r.Method == http.MethodOptions || status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", healthMethods)
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // fails only if the client is gone
	return true
}
