package logging

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestWriterSharesWritesOfAccessLines(t *testing.T) {
	bubble(t, func(t *testing.T, w *Writer, s *sink) {
		var writes atomic.Int32
		s.set(false, false, func(n int) int { writes.Add(1); return n })
		offer(w, classAccess, "the first is written at once")
		synctest.Wait()
		for range 10 {
			offer(w, classAccess, "those that follow closely wait")
		}
		synctest.Wait()
		if writes.Load() != 1 {
			t.Errorf("%d writes, want 1", writes.Load())
		}
		time.Sleep(batchDelay)
		synctest.Wait()
		if writes.Load() != 2 || count(s.String(), "closely") != 10 {
			t.Errorf("%d writes, want 2:\n%s", writes.Load(), s)
		}
		offer(w, classAccess, "waits")
		offer(w, classAudit, "does not wait")
		offer(w, classApplication, "and nothing overtakes")
		synctest.Wait()
		if !strings.HasSuffix(s.String(), "waits\ndoes not wait\nand nothing overtakes\n") {
			t.Errorf("written:\n%s", s)
		}
	})
}

func TestWriterDropsAccessLinesFirst(t *testing.T) {
	bubble(t, func(t *testing.T, w *Writer, s *sink) {
		s.set(true, false, nil)
		for range 3 * bufferLines {
			offer(w, classAccess, "access %s", strings.Repeat("x", 100))
		}
		for range 100 {
			offer(w, classApplication, "application")
			offer(w, classAudit, "audit")
		}
		s.set(false, false, nil)
		if !w.Flush(time.Minute) {
			t.Fatal("not everything was written")
		}
		got := s.String()
		application, audit, access := count(got, "application\n"), count(got, "audit\n"), count(got, "access ")
		if application != 100 || audit != 100 || uint64(access) != 3*bufferLines-w.Dropped(Full) {
			t.Errorf("%d application, %d audit, %d access lines", application, audit, access)
		}
		want := fmt.Sprintf("lost %d 0 0\n", w.Dropped(Full))
		if w.Dropped(Full) == 0 || count(got, "lost ") != 1 || count(got, want) != 1 {
			t.Errorf("no single line %q", want)
		}
		if ok, detail, _ := w.Health(); !ok {
			t.Errorf("the audit log is complete, and Health reports %q", detail)
		}
	})
}

func TestWriterBuffersAreBounded(t *testing.T) {
	for name, text := range map[string]string{
		"empty lines": "\n", "short lines": "line\n", "long lines": strings.Repeat("x", 10_000) + "\n",
		"one that is larger than the buffer": strings.Repeat("x", bufferBytes) + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *Writer, s *sink) {
				s.set(true, false, nil)
				offered := min(bufferLines, 3*bufferBytes/len(text)) + 10
				for range offered {
					for class := range classNotice {
						w.queue(class, func(b []byte) []byte { return append(b, text...) })
					}
				}
				w.mu.Lock()
				bytes, lines := 0, 0
				for _, u := range w.held {
					bytes, lines = bytes+u.bytes, lines+u.lines
				}
				w.mu.Unlock()
				if bytes > 2*bufferBytes || lines > 2*bufferLines || w.Dropped(Full) != uint64(3*offered-lines) {
					t.Errorf("%d bytes in %d lines wait, %d were dropped", bytes, lines, w.Dropped(Full))
				}
			})
		})
	}
}

// TestWriterKeepsAuditLinesWhileWritesFail checks that a fault of a few minutes, such as a full disk, loses no audit
// line.
func TestWriterKeepsAuditLinesWhileWritesFail(t *testing.T) {
	bubble(t, func(t *testing.T, w *Writer, s *sink) {
		s.set(false, true, func(int) int { return 0 })
		for i := range 300 {
			offer(w, classAccess, "access %d", i)
			offer(w, classApplication, "application %d", i)
			offer(w, classAudit, "audit %d", i)
			time.Sleep(retryAfter / 2)
		}
		if ok, detail, since := w.Health(); ok || !strings.Contains(detail, errDiskFull.Error()) || since.IsZero() {
			t.Errorf("audit lines wait for minutes, and Health reports %v %q %v", ok, detail, since)
		}
		s.set(false, false, nil)
		time.Sleep(2 * retryAfter)
		synctest.Wait()
		got := s.String()
		for i := range 300 {
			if count(got, fmt.Sprintf("audit %d\n", i)) != 1 {
				t.Errorf("audit line %d is missing", i)
			}
		}
		lost := w.Dropped(WriteError)
		written := count(got, "access ") + count(got, "application ")
		if lost == 0 || written+int(lost) != 600 || w.Dropped(Full) != 0 {
			t.Errorf("%d written, %d dropped", written, lost)
		}
		if ok, detail, _ := w.Health(); !ok || count(got, "lost ") != 1 {
			t.Errorf("%d reports of the loss; Health: %q", count(got, "lost "), detail)
		}
	})
}

func TestHealthReportsTheFirstLostAuditLine(t *testing.T) {
	bubble(t, func(t *testing.T, w *Writer, s *sink) {
		s.set(true, false, nil)
		for w.Dropped(Full) == 0 {
			if ok, detail, _ := w.Health(); !ok {
				t.Fatalf("nothing was lost, and Health reports %q", detail)
			}
			offer(w, classAudit, "%s", strings.Repeat("x", 10_000))
		}
		began := time.Now()
		if ok, detail, since := w.Health(); ok || !strings.HasPrefix(detail, "lost audit lines: 1;") || !since.Equal(began) {
			t.Errorf("%v %q %v", ok, detail, since)
		}
		time.Sleep(2 * showAuditLoss)
		if ok, _, since := w.Health(); ok || !since.Equal(began) {
			t.Error("Health forgets the loss before the log reports it")
		}
		s.set(false, false, nil)
		synctest.Wait()
		if !strings.HasSuffix(s.String(), "lost 0 0 1\n") {
			t.Error("the log does not report it")
		}
		if ok, detail, _ := w.Health(); !ok {
			t.Errorf("the log reported it hours ago, and Health still reports %q", detail)
		}
	})
}

func TestCloseWaitsUpToItsLimit(t *testing.T) {
	for name, set := range map[string]func(*sink){
		"blocked": func(s *sink) { s.set(true, false, nil) },
		"failing": func(s *sink) { s.set(false, true, nil) },
		"fine":    func(*sink) {},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *Writer, s *sink) {
				set(s)
				for class := range classNotice {
					offer(w, class, "line")
				}
				began := time.Now()
				w.Close(time.Second)
				offer(w, classAudit, "dropped without waiting")
				if took := time.Since(began); took > time.Second {
					t.Errorf("it took %v", took)
				}
				if name == "fine" && count(s.String(), "line\n") != 3 {
					t.Errorf("written: %q", s)
				}
			})
		})
	}
}

// TestWriterKeepsLinesWholeAndInOrder writes lines from many goroutines to a slow sink.
func TestWriterKeepsLinesWholeAndInOrder(t *testing.T) {
	t.Parallel()
	s := &sink{part: func(n int) int { runtime.Gosched(); return (n + 1) / 2 }}
	out := NewWriter(s)
	const writers, each = 16, 2000
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				offer(out, lineClass(i%3), "%d %d %s", w, i, strings.Repeat("x", i%200))
			}
		})
	}
	all.Wait()
	out.Close(time.Minute)
	next, written := map[int]int{}, 0
	for line := range strings.Lines(s.String()) {
		var w, i int
		var rest string
		fmt.Sscan(line, &w, &i, &rest)
		if i < next[w] || len(rest) != i%200 {
			t.Fatalf("%q, want line %d of %d", line, next[w], w)
		}
		next[w] = i + 1
		written++
	}
	if dropped := int(out.Dropped(Full)); written+dropped != writers*each {
		t.Errorf("%d written, %d dropped", written, dropped)
	}
}

func BenchmarkLine(b *testing.B) {
	w := NewWriter(io.Discard)
	defer w.Close(time.Second)
	text := []byte(strings.Repeat("x", 400) + "\n")
	b.ReportAllocs()
	for b.Loop() {
		w.queue(classAccess, func(b []byte) []byte { return append(b, text...) })
	}
}
