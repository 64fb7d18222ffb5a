package admin

import (
	"container/list"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Bounds of the admin listener, so that its clients stop neither each other nor the visitors.
const (
	MaxConnections = 256              // over it the oldest is closed: who hangs makes room for who asks
	adminTime      = 10 * time.Second // to read a body, and to make an answer
	answerTime     = 5 * time.Second  // besides, for the client to take the answer, which may be that its body is late
	scrapesAtOnce  = 2                // further ones wait
	maxProfile     = 300              // seconds
)

// scrapes answers scrapes. A scrape is finished before its first byte is sent: a client that does not read holds up no
// other.
func scrapes(reg *prometheus.Registry) http.Handler {
	scrape := promhttp.HandlerFor(reg, promhttp.HandlerOpts{Registry: reg, EnableOpenMetrics: true})
	free := make(chan struct{}, scrapesAtOnce)
	return http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case free <- struct{}{}:
			defer func() { <-free }()
			scrape.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	}), adminTime, "too many scrapes at once")
}

// timed bounds the time that a client may take to send its request and to read the answer. A profile takes its seconds
// besides.
func timed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limit := adminTime
		if strings.HasPrefix(r.URL.Path, "/debug/pprof/") {
			seconds, _ := strconv.Atoi(r.URL.Query().Get("seconds"))
			if seconds > maxProfile {
				refuse(w, r, http.StatusBadRequest, "seconds is at most "+strconv.Itoa(maxProfile))
				return
			}
			limit += time.Duration(max(seconds, 30)) * time.Second // 30 is pprof's own default
		}
		conn, end := http.NewResponseController(w), time.Now().Add(limit)
		_ = conn.SetWriteDeadline(end.Add(answerTime)) // the recorder of a test has none
		if r.Body != nil && r.Body != http.NoBody {
			_ = conn.SetReadDeadline(end)
		}
		next.ServeHTTP(w, r)
	})
}

// newestListener bounds its connections by closing the oldest one.
type newestListener struct {
	net.Listener
	limit int

	mu   sync.Mutex
	open *list.List // of *newestConn, the oldest first
}

func KeepNewest(l net.Listener, limit int) *newestListener {
	return &newestListener{Listener: l, limit: limit, open: list.New()}
}

// Accept waits for a connection.
func (l *newestListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &newestConn{Conn: conn, listener: l}
	if oldest := l.add(c); oldest != nil {
		oldest.Close()
	}
	return c, nil
}

// add enters a connection and returns the one that it takes the place of, if any.
func (l *newestListener) add(c *newestConn) *newestConn {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.place = l.open.PushBack(c)
	if l.open.Len() <= l.limit {
		return nil
	}
	return l.open.Front().Value.(*newestConn)
}

type newestConn struct {
	net.Conn
	listener *newestListener
	place    *list.Element
}

// Close also makes room for another connection.
func (c *newestConn) Close() error {
	c.listener.mu.Lock()
	c.listener.open.Remove(c.place) // does nothing the second time
	c.listener.mu.Unlock()
	return c.Conn.Close()
}
