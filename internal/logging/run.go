package logging

import (
	"io"
	"time"
)

// run writes what waits until the writer is closed and nothing is left, or what is left cannot be written.
func (w *Writer) run() {
	defer w.end()
	for w.await() {
		b := w.take()
		err := w.write(b)
		w.finish(b, err)
		if err != nil && w.isClosing() {
			return
		}
		w.report()
	}
}

// await returns when it is time to write; false when the writer is closed and nothing is left.
func (w *Writer) await() bool {
	select {
	case <-w.wake:
	case <-w.closing:
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.pending.lines) > 0
	}
	for pause := w.pause(); pause > 0; pause = w.pause() {
		w.timer.Reset(pause)
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

// pause is how long what waits may still wait.
func (w *Writer) pause() time.Duration {
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
	return time.Until(w.last.Add(Delay))
}

func (w *Writer) isClosing() bool {
	select {
	case <-w.closing:
		return true
	default:
		return false
	}
}

// take returns what waits; lines are collected in the other buffer meanwhile.
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

// write writes a batch piece by piece. When that fails it keeps what must not be lost yet and drops the rest.
func (w *Writer) write(b batch) error {
	for len(b.lines) > 0 {
		n, err := writeAll(w.sink, b.text[:b.piece()])
		b = w.wrote(b, n)
		if err != nil {
			w.keep(b)
			return err
		}
	}
	return nil
}

// piece is the length of the next lines that are written together.
func (b batch) piece() int {
	size := 0
	for _, l := range b.lines {
		if size > 0 && size+int(l.size) > piece {
			break
		}
		size += int(l.size)
	}
	return size
}

// writeAll goes on after a short write, so that no line is torn by one.
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

// wrote makes the room free that n written bytes took, and returns the rest of the batch.
func (w *Writer) wrote(b batch, n int) batch {
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
		if l.class == Audit {
			w.loss.waiting = time.Now()
		}
		b.lines = b.lines[1:]
	}
	return b
}

// keep puts the audit lines of a batch that could not be written back to the front, and the rest of a line whose
// beginning was written. Everything else is dropped.
func (w *Writer) keep(b batch) {
	var kept batch
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range b.lines {
		text := b.text[:l.size]
		b.text = b.text[l.size:]
		if l.class == Audit || l.class == Notice || l.begun {
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

// finish notes how the writing of a batch went.
func (w *Writer) finish(b batch, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(b.lines) == 0 {
		return
	}
	w.last, w.retryAt = time.Now(), time.Time{}
	w.loss.fault = ""
	if err != nil {
		w.retryAt, w.loss.fault = w.last.Add(Retry), err.Error()
		w.signal()
	}
	if w.spare.text == nil && (cap(b.text) <= 2*piece || len(b.text) > piece) { // what only a burst needed is given back
		w.spare = batch{b.text[:0], b.lines[:0]}
	}
	if w.empty() {
		w.flushed()
	}
}

// end drops what could not be written before the writer was closed.
func (w *Writer) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	for _, l := range w.pending.lines {
		w.release(l)
		w.drop(l.class, WriteError)
	}
	w.pending, w.spare = batch{}, batch{}
	w.flushed()
	close(w.ended)
}

// flushed ends the waiting in Flush.
func (w *Writer) flushed() {
	for _, done := range w.idle {
		close(done)
	}
	w.idle = nil
}
