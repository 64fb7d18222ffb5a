package backfill

import (
	"errors"
	"io"
)

// errTooLong means that a value is longer than a person may be.
var errTooLong = errors.New("too long")

// boundedReader limits what a decoder reads for one value, because the decoder keeps a value in memory. It knows the
// lines of what it read.
type boundedReader struct {
	source io.Reader
	left   int   // bytes until errTooLong
	err    error // of the source

	offset int64
	ends   []int64 // offsets of the line ends after the last offset that lineAt was called with
	lines  int     // line ends before that
}

// Read reads at most as much as is left.
func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.source.Read(p[:min(len(p), b.left)])
	b.left -= n
	for i, c := range p[:n] {
		if c == '\n' {
			b.ends = append(b.ends, b.offset+int64(i))
		}
	}
	b.offset += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}

// lineAt returns the line of an offset, which must not be before that of an earlier call.
func (b *boundedReader) lineAt(offset int64) int {
	n := 0
	for n < len(b.ends) && b.ends[n] < offset {
		n++
	}
	b.ends = b.ends[n:]
	b.lines += n
	return b.lines + 1
}
