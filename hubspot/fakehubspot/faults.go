package fakehubspot

import (
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
)

// Fault is one bad response. Set Status; the zero value responds with 200 and no body.
type Fault struct {
	Path   string // suffix of the path of the calls to fail; "" = any
	Status int
	Header map[string]string
	Body   string
	Apply  bool // the call takes effect, and only its response is lost
	Cut    bool // the connection is closed without a response
	Hang   bool // no response until the client disconnects
	Bomb   bool // the response is a gzip bomb
}

// Next makes the next matching calls fail, one fault each, in this order.
func (s *Server) Next(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// Faults returns the number of pending faults.
func (s *Server) Faults() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.faults)
}

func (s *Server) fault(path string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if strings.HasSuffix(path, f.Path) {
			s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
			return &f
		}
	}
	return nil
}

// injectFaults responds to calls with the faults set by Next.
func (s *Server) injectFaults(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := s.fault(r.URL.Path)
		if f == nil {
			next.ServeHTTP(w, r)
			return
		}
		if f.Apply {
			next.ServeHTTP(discardWriter{}, r)
		}
		annotate(w, "fault")
		switch {
		case f.Cut:
			panic(http.ErrAbortHandler)
		case f.Hang:
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		case f.Bomb:
			writeGzipBomb(w)
			return
		}
		for name, value := range f.Header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(max(f.Status, 200))
		fmt.Fprint(w, f.Body)
	})
}

// writeGzipBomb sends 64 MiB of spaces in a few kilobytes.
func writeGzipBomb(w http.ResponseWriter) {
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	defer z.Close()
	blank := []byte(strings.Repeat(" ", 1<<20))
	for range 64 {
		if _, err := z.Write(blank); err != nil {
			return
		}
	}
}

// discardWriter discards a response.
type discardWriter struct{}

// Header returns a header that is discarded.
func (discardWriter) Header() http.Header { return http.Header{} }

// Write discards p.
func (discardWriter) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader does nothing.
func (discardWriter) WriteHeader(int) {}
