package admin

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Limits of the admin listener, so that one client blocks neither other clients nor visitors.
const (
	MaxConnections = 256 // above it the oldest connection is closed

	requestTime    = 10 * time.Second // to read the body and to create the response
	writeTime      = 5 * time.Second  // in addition, for the client to read the response
	maxScrapes     = 2                // at a time; others wait
	maxProfile     = 300              // seconds
	defaultProfile = 30               // seconds, of net/http/pprof
)

// scrapeHandler serves the metrics. A scrape is complete before its first byte is sent, so that a client that does not
// read blocks no other.
func scrapeHandler(reg *prometheus.Registry) http.Handler {
	scrape := promhttp.HandlerFor(reg, promhttp.HandlerOpts{Registry: reg, EnableOpenMetrics: true})
	slots := make(chan struct{}, maxScrapes)
	return http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
			scrape.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	}), requestTime, "too many scrapes at a time")
}

// withDeadline limits the time in which a client must send its request and read the response. A profile takes its
// seconds in addition.
func withDeadline(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limit := requestTime
		if strings.HasPrefix(r.URL.Path, "/debug/pprof/") {
			seconds, _ := strconv.Atoi(r.URL.Query().Get("seconds"))
			if seconds > maxProfile {
				refuse(w, r, http.StatusBadRequest, "seconds may be at most "+strconv.Itoa(maxProfile))
				return
			}
			limit += time.Duration(max(seconds, defaultProfile)) * time.Second
		}
		conn, end := http.NewResponseController(w), time.Now().Add(limit)
		_ = conn.SetWriteDeadline(end.Add(writeTime)) // fails only for the recorder of a test
		if r.Body != nil && r.Body != http.NoBody {
			_ = conn.SetReadDeadline(end)
		}
		next.ServeHTTP(w, r)
	})
}
