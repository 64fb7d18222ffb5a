package logging

import (
	"io"
	"time"
)

// run writes lines until the writer is closed and no line is left, or the rest cannot be written.
func (w *Writer) run() {
	defer w.end()
	for w.await() {
		b := w.take()
		err := w.write(b)
		w.finish(b, err)
		if err != nil && w.isClosing() {
			return
		}
		w.reportLoss()
	}
}

// await waits until it is time to write. It returns false if the writer is closed and no line is left.
func (w *Writer) await() bool {
	select {
	case <-w.wake:
	case <-w.closing:
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.pending.lines) > 0
	}
	for delay := w.delay(); delay > 0; delay = w.delay() {
		w.timer.Reset(delay)
		select {
		case <-w.timer.C:
			return true
		case <-w.wake:
		case <-w.closing:
			return true
		}
	}
	return true
}

// delay returns how long the lines may still wait.
func (w *Writer) delay() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.isClosing():
		return 0
	case !w.retryAt.IsZero():
		return time.Until(w.retryAt)
	case w.urgent:
		return 0
	}
	return time.Until(w.lastWrite.Add(batchDelay))
}

func (w *Writer) isClosing() bool {
	select {
	case <-w.closing:
		return true
	default:
		return false
	}
}

// take returns the lines that wait; new lines are collected in the spare batch.
func (w *Writer) take() batch {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.pending.lines) == 0 {
		return batch{}
	}
	b := w.pending
	w.pending, w.spare, w.urgent = w.spare, batch{}, false
	return b
}

// write writes a batch in chunks. If that fails, it keeps the lines that must not be lost yet and drops the rest.
func (w *Writer) write(b batch) error {
	for len(b.lines) > 0 {
		n, err := writeAll(w.sink, b.text[:b.nextChunk()])
		b = w.advance(b, n)
		if err != nil {
			w.keep(b)
			return err
		}
	}
	return nil
}

// nextChunk returns the length of the lines that are written next: whole lines up to a chunk, so that a slow reader
// makes room as it reads.
func (b batch) nextChunk() int {
	size := 0
	for _, l := range b.lines {
		if size > 0 && size+int(l.size) > chunk {
			break
		}
		size += int(l.size)
	}
	return size
}

// writeAll continues after a short write, so that lines stay whole.
func writeAll(sink io.Writer, text []byte) (n int, err error) {
	for n < len(text) {
		wrote, err := sink.Write(text[n:])
		n += max(0, min(wrote, len(text)-n))
		if err == nil && wrote <= 0 {
			err = io.ErrShortWrite
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// advance releases the room of n written bytes and returns the rest of the batch.
func (w *Writer) advance(b batch, n int) batch {
	w.mu.Lock()
	defer w.mu.Unlock()
	b.text = b.text[n:]
	for n > 0 {
		l := &b.lines[0]
		part := min(n, int(l.size))
		n -= part
		w.held[l.class].bytes -= part
		if l.size -= int32(part); l.size > 0 {
			l.begun = true
			break
		}
		w.held[l.class].lines--
		if l.class == classAudit {
			w.loss.waiting = time.Now()
		}
		b.lines = b.lines[1:]
	}
	return b
}

// keep puts lines of a failed write back to the front: audit lines, notices, and the rest of a line that is partly
// written. It drops all others.
func (w *Writer) keep(b batch) {
	var kept batch
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range b.lines {
		text := b.text[:l.size]
		b.text = b.text[l.size:]
		if l.class == classAudit || l.class == classNotice || l.begun {
			kept.text, kept.lines = append(kept.text, text...), append(kept.lines, l)
			continue
		}
		w.release(l)
		w.drop(l.class, WriteError)
	}
	kept.text, kept.lines = append(kept.text, w.pending.text...), append(kept.lines, w.pending.lines...)
	w.pending = kept
}

func (w *Writer) release(l line) {
	w.held[l.class].bytes -= int(l.size)
	w.held[l.class].lines--
}

// finish records the result of writing a batch.
func (w *Writer) finish(b batch, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(b.lines) == 0 {
		return
	}
	w.lastWrite, w.retryAt = time.Now(), time.Time{}
	w.loss.fault = ""
	if err != nil {
		w.retryAt, w.loss.fault = w.lastWrite.Add(retryAfter), err.Error()
		w.signal()
	}
	if w.spare.text == nil && (cap(b.text) <= 2*chunk || len(b.text) > chunk) { // memory of a burst is released
		w.spare = batch{b.text[:0], b.lines[:0]}
	}
	if w.empty() {
		w.endFlushes()
	}
}

// end drops the lines that could not be written before the writer was closed.
func (w *Writer) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	for _, l := range w.pending.lines {
		w.release(l)
		w.drop(l.class, WriteError)
	}
	w.pending, w.spare = batch{}, batch{}
	w.endFlushes()
	close(w.ended)
}

// endFlushes lets every Flush return.
func (w *Writer) endFlushes() {
	for _, done := range w.flushes {
		close(done)
	}
	w.flushes = nil
}
