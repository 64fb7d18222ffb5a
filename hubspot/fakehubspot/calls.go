package fakehubspot

import (
	"maps"
	"net/http"
	"regexp"
	"time"
)

// Call is one request to the API.
type Call struct {
	At     time.Time
	Method string
	Path   string
	Status int
	Note   string
}

// Calls returns the last 500 calls, newest last.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

const keptCalls = 500

// Counts returns the number of calls since the start, by kind: the method and the path, in which ids and addresses are
// replaced, such as "GET /crm/lists/2026-09/{id}".
func (s *Server) Counts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.counts)
}

var idSegment = regexp.MustCompile(`/(\d+|[^/]*@[^/]*)(/|$)`)

func kindOf(r *http.Request) string {
	return r.Method + " " + idSegment.ReplaceAllString(r.URL.Path, "/{id}$2")
}

func (s *Server) record(r *http.Request, rec *recorder) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, Call{At: s.cfg.Now(), Method: r.Method, Path: r.URL.Path, Status: rec.status,
		Note: rec.note})
	s.counts[kindOf(r)]++
	if extra := len(s.calls) - keptCalls; extra > 0 {
		s.calls = append(s.calls[:0], s.calls[extra:]...)
	}
}

// recorder records the response for the page of contacts.
type recorder struct {
	http.ResponseWriter
	status int
	note   string
}

func (w *recorder) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// annotate adds a note to a call for the page of contacts.
func annotate(w http.ResponseWriter, text string) {
	if rec, ok := w.(*recorder); ok {
		rec.note = text
	}
}
