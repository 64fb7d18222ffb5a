package logging

import (
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// Class says what is lost first when lines cannot be written as fast as they come.
type Class uint8

// The classes of lines. Access lines are dropped first: they fill at most three quarters of the buffer that they share
// with application lines. Audit lines have a buffer of their own, and so has the notice that lines were lost.
const (
	Application Class = iota
	Access
	Audit
	Notice // what the function of OnLoss logs
	classes
)

// Bounds of what waits to be written. A line that is larger than its buffer is dropped.
const (
	BufferBytes = 1 << 20 // of access and application lines together, and as much again of audit lines
	BufferLines = 8192    // likewise
	accessBytes = BufferBytes / 4 * 3
	accessLines = BufferLines / 4 * 3
)

const (
	// Delay is how long an access line waits for others to share its write.
	Delay = 50 * time.Millisecond
	// Retry is how long the writer waits after a failed write.
	Retry = time.Second
	// piece is how much is written at a time, whole lines as long as they are shorter: what a slow reader has taken
	// makes room.
	piece = 32 << 10
)

// Reason is why a line was dropped.
type Reason uint8

// The reasons.
const (
	Full       Reason = iota // its buffer was full: the lines are not read, or not fast enough
	WriteError               // writing failed
	reasons
)

// Writer writes lines in their order, from a goroutine of its own.
type Writer struct {
	sink    io.Writer
	room    sync.Pool // of buffers in which lines are made: nobody waits for another's
	dropped [reasons]atomic.Uint64

	wake    chan struct{} // one token: something waits
	closing chan struct{} // closed by Close
	ended   chan struct{} // closed when the goroutine has ended
	close   sync.Once
	timer   *time.Timer // the goroutine's own

	mu      sync.Mutex
	pending batch
	spare   batch           // to collect in while the other is being written
	held    [classes]usage  // by what waits and what is being written
	urgent  bool            // not everything that waits may wait for others
	over    bool            // nothing is written any more
	idle    []chan struct{} // closed when nothing waits
	last    time.Time       // of the last write
	retryAt time.Time       // not zero: the last write failed
	loss    loss
}

// batch is text with the lengths and classes of its lines.
type batch struct {
	text  []byte
	lines []line
}

type line struct {
	size  int32
	class Class
	begun bool // its beginning was written: the rest must follow, or the next line could not be read
}

type usage struct{ bytes, lines int }

// New returns a writer to sink, which only its goroutine uses. Close ends it.
func New(sink io.Writer) *Writer {
	w := &Writer{
		sink: sink, room: sync.Pool{New: func() any { return new([]byte) }}, timer: time.NewTimer(time.Hour),
		wake: make(chan struct{}, 1), closing: make(chan struct{}), ended: make(chan struct{}),
	}
	w.timer.Stop()
	go w.run()
	return w
}

// Line queues the line that appendLine appends to its argument, or drops it. It never waits for the sink.
func (w *Writer) Line(class Class, appendLine func([]byte) []byte) {
	room := w.room.Get().(*[]byte)
	text := appendLine((*room)[:0])
	w.mu.Lock()
	wake := w.add(class, text)
	w.mu.Unlock()
	if wake {
		w.signal()
	}
	if *room = text; cap(text) <= piece {
		w.room.Put(room)
	}
}

// Write queues p as an application line. It serves what prints instead of logging.
func (w *Writer) Write(p []byte) (int, error) {
	w.Line(Application, func(b []byte) []byte { return append(b, p...) })
	return len(p), nil
}

// add queues a line or drops it; it reports whether the goroutine must be told. It is called with mu held.
func (w *Writer) add(class Class, text []byte) bool {
	if w.over {
		w.drop(class, WriteError)
		return false
	}
	if !w.admits(class, len(text)) {
		w.drop(class, Full)
		return false
	}
	if class == Audit && w.held[Audit].lines == 0 {
		w.loss.waiting = time.Now()
	}
	w.held[class].bytes += len(text)
	w.held[class].lines++
	first := len(w.pending.lines) == 0
	w.pending.text = append(w.pending.text, text...)
	w.pending.lines = append(w.pending.lines, line{size: int32(len(text)), class: class})
	if w.urgent || class == Access && len(w.pending.text) < piece {
		return first
	}
	w.urgent = true
	return true
}

// admits reports whether there is room for a line of n bytes.
func (w *Writer) admits(class Class, n int) bool {
	access, shared := w.held[Access], w.held[Application]
	shared.bytes, shared.lines = shared.bytes+access.bytes, shared.lines+access.lines
	switch class {
	case Access:
		return access.bytes+n <= accessBytes && access.lines < accessLines &&
			shared.bytes+n <= BufferBytes && shared.lines < BufferLines
	case Application:
		return shared.bytes+n <= BufferBytes && shared.lines < BufferLines
	case Audit:
		return w.held[Audit].bytes+n <= BufferBytes && w.held[Audit].lines < BufferLines
	}
	return w.held[Notice].bytes+n <= piece
}

// signal tells the goroutine that there is something to do.
func (w *Writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Flush waits until everything is written, for at most limit; it reports whether it is.
func (w *Writer) Flush(limit time.Duration) bool {
	w.mu.Lock()
	if w.empty() || w.over {
		w.mu.Unlock()
		return true
	}
	done := make(chan struct{})
	w.idle = append(w.idle, done)
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

// Close writes what waits, for at most limit, and ends the writer: what is logged from then on is dropped.
func (w *Writer) Close(limit time.Duration) {
	w.close.Do(func() { close(w.closing) })
	select {
	case <-w.ended:
	case <-time.After(limit):
	}
}

// empty reports whether nothing waits or is being written. It is called with mu held.
func (w *Writer) empty() bool { return w.held == [classes]usage{} }
