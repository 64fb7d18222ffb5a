package logging

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var errDiskFull = errors.New("no space left on device")

// sink is the output of a Writer. It can block, fail after some bytes, and write less than it is given.
type sink struct {
	mu    sync.Mutex
	text  bytes.Buffer
	block chan struct{} // not nil: Write waits until it is closed
	fail  bool
	part  func(n int) int // how many of n bytes it takes; nil = all
}

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	blocked := s.block
	s.mu.Unlock()
	if blocked != nil {
		<-blocked
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(p)
	if s.part != nil {
		n = s.part(n)
	}
	if s.fail {
		n = min(n, len(p)-1)
	}
	s.text.Write(p[:n])
	if s.fail {
		return n, errDiskFull
	}
	return n, nil
}

// set changes the sink. A blocked write continues.
func (s *sink) set(block, fail bool, part func(int) int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.block != nil {
		close(s.block)
		s.block = nil
	}
	if block {
		s.block = make(chan struct{})
	}
	s.fail, s.part = fail, part
}

func (s *sink) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// offer logs one line of a class.
func offer(w *Writer, class lineClass, format string, args ...any) {
	w.queue(class, func(b []byte) []byte { return fmt.Appendf(b, format+"\n", args...) })
}

// opened returns a Writer inside a synctest bubble; it is closed when the test ends.
func opened(t *testing.T) (*Writer, *sink) {
	t.Helper()
	s := &sink{}
	w := NewWriter(s)
	w.onLoss(func(n lineCounts) { offer(w, classNotice, "lost %d %d %d", n.access, n.application, n.audit) })
	t.Cleanup(func() {
		s.set(false, false, nil)
		w.Close(time.Minute)
	})
	return w, s
}

func bubble(t *testing.T, run func(t *testing.T, w *Writer, s *sink)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, s := opened(t)
		run(t, w, s)
	})
}

func count(text, word string) int { return strings.Count(text, word) }
