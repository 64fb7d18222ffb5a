package logging

import (
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of the lines that wait to be written. A line that is larger than its buffer is dropped.
const (
	bufferBytes = 1 << 20 // of access and application lines together, and the same again of audit lines
	bufferLines = 8192    // likewise
	accessBytes = bufferBytes / 4 * 3
	accessLines = bufferLines / 4 * 3
)

const (
	batchDelay = 50 * time.Millisecond // how long an access line waits for others to share its write
	retryAfter = time.Second           // after a failed write
	chunk      = 32 << 10              // bytes of one write; a longer line is written alone
)

// Reason is why a line was dropped.
type Reason uint8

const (
	Full       Reason = iota // the buffer was full: the reader of the log is too slow, or stopped
	WriteError               // writing failed
	reasons
)

// Writer writes lines in order, from its own goroutine, and never blocks its callers.
type Writer struct {
	sink    io.Writer
	room    sync.Pool // buffers for composing lines, so that no line waits for another
	dropped [reasons]atomic.Uint64

	wake    chan struct{} // holds one token if lines wait
	closing chan struct{} // closed by Close
	ended   chan struct{} // closed when the goroutine has ended
	close   sync.Once
	timer   *time.Timer // of the goroutine

	mu        sync.Mutex
	pending   batch
	spare     batch           // collects lines while the other batch is written
	held      [classes]usage  // by lines that wait and lines that are being written
	urgent    bool            // a line waits that must not be delayed
	stopped   bool            // the goroutine has ended: every line is dropped
	flushes   []chan struct{} // closed when no line waits
	lastWrite time.Time
	retryAt   time.Time // zero if the last write succeeded
	loss      loss
}

// batch is text with the lengths and classes of its lines.
type batch struct {
	text  []byte
	lines []line
}

type line struct {
	size  int32
	class lineClass
	begun bool // partly written: the rest must follow, otherwise the next line is unreadable
}

type usage struct{ bytes, lines int }

// NewWriter returns a Writer to sink, which it uses from one goroutine. Close ends it.
func NewWriter(sink io.Writer) *Writer {
	w := &Writer{
		sink: sink, room: sync.Pool{New: func() any { return new([]byte) }}, timer: time.NewTimer(time.Hour),
		wake: make(chan struct{}, 1), closing: make(chan struct{}), ended: make(chan struct{}),
	}
	w.timer.Stop()
	go w.run()
	return w
}

// Write queues p as an application line. It is for code that prints instead of logging.
func (w *Writer) Write(p []byte) (int, error) {
	w.queue(classApplication, func(b []byte) []byte { return append(b, p...) })
	return len(p), nil
}

// queue queues the line that appendLine appends to its argument, or drops it. It never waits for the sink.
func (w *Writer) queue(class lineClass, appendLine func([]byte) []byte) {
	room := w.room.Get().(*[]byte)
	text := appendLine((*room)[:0])
	w.mu.Lock()
	wake := w.add(class, text)
	w.mu.Unlock()
	if wake {
		w.signal()
	}
	if *room = text; cap(text) <= chunk {
		w.room.Put(room)
	}
}

// add adds a line to the batch or drops it. It reports whether to wake the goroutine. The caller holds mu.
func (w *Writer) add(class lineClass, text []byte) bool {
	if w.stopped {
		w.drop(class, WriteError)
		return false
	}
	if !w.admits(class, len(text)) {
		w.drop(class, Full)
		return false
	}
	if class == classAudit && w.held[classAudit].lines == 0 {
		w.loss.waiting = time.Now()
	}
	w.held[class].bytes += len(text)
	w.held[class].lines++
	first := len(w.pending.lines) == 0
	w.pending.text = append(w.pending.text, text...)
	w.pending.lines = append(w.pending.lines, line{size: int32(len(text)), class: class})
	if w.urgent || class == classAccess && len(w.pending.text) < chunk {
		return first
	}
	w.urgent = true
	return true
}

// admits reports whether there is room for a line of n bytes. The caller holds mu.
func (w *Writer) admits(class lineClass, n int) bool {
	access, shared := w.held[classAccess], w.held[classApplication]
	shared.bytes, shared.lines = shared.bytes+access.bytes, shared.lines+access.lines
	switch class {
	case classAccess:
		return access.bytes+n <= accessBytes && access.lines < accessLines &&
			shared.bytes+n <= bufferBytes && shared.lines < bufferLines
	case classApplication:
		return shared.bytes+n <= bufferBytes && shared.lines < bufferLines
	case classAudit:
		return w.held[classAudit].bytes+n <= bufferBytes && w.held[classAudit].lines < bufferLines
	}
	return w.held[classNotice].bytes+n <= chunk
}

// signal wakes the goroutine.
func (w *Writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Flush waits until all lines are written, for at most limit. It reports whether they are.
func (w *Writer) Flush(limit time.Duration) bool {
	w.mu.Lock()
	if w.empty() || w.stopped {
		w.mu.Unlock()
		return true
	}
	done := make(chan struct{})
	w.flushes = append(w.flushes, done)
	w.urgent = true
	w.mu.Unlock()
	w.signal()
	select {
	case <-done:
		return true
	case <-time.After(limit):
		return false
	}
}

// Close writes the lines that wait, for at most limit, and ends the goroutine. Later lines are dropped.
func (w *Writer) Close(limit time.Duration) {
	w.close.Do(func() { close(w.closing) })
	select {
	case <-w.ended:
	case <-time.After(limit):
	}
}

// empty reports whether no line waits or is being written. The caller holds mu.
func (w *Writer) empty() bool { return w.held == [classes]usage{} }
