package fakehubspot

import (
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
)

// Fault is one bad answer. The zero value answers 500 with no body.
type Fault struct {
	Path   string // end of the path of the calls that it is for; "" = any
	Status int
	Header map[string]string
	Body   string
	Apply  bool // the call is carried out all the same: only its answer is lost
	Cut    bool // the connection ends without an answer
	Hang   bool // no answer until the caller goes away
	Bomb   bool // an answer that is small on the wire and endless when it is unpacked
}

// Next makes the next fitting calls fail, one fault each, in this order.
func (s *Server) Next(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// Faults tells how many faults are still to come.
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

// faulty stands before the calls and answers in their place what Next ordered.
func (s *Server) faulty(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := s.fault(r.URL.Path)
		if f == nil {
			next.ServeHTTP(w, r)
			return
		}
		if f.Apply {
			next.ServeHTTP(unheard{}, r)
		}
		note(w, "fault")
		switch {
		case f.Cut:
			panic(http.ErrAbortHandler)
		case f.Hang:
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		case f.Bomb:
			bomb(w)
			return
		}
		for name, value := range f.Header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(max(f.Status, 200))
		fmt.Fprint(w, f.Body)
	})
}

// bomb sends 64 MiB of blanks in a few kilobytes.
func bomb(w http.ResponseWriter) {
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

// unheard is where a lost answer goes.
type unheard struct{}

// Header is discarded.
func (unheard) Header() http.Header { return http.Header{} }

// Write is discarded.
func (unheard) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader is discarded.
func (unheard) WriteHeader(int) {}
