package backfill

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// line is a line of a file without its end.
type line struct {
	text    string
	number  int
	tooLong bool // the text is incomplete
}

// lines reads lines, and can be set back by at most a row.
type lines struct {
	source *bufio.Reader
	number int
	back   []line // to be read again
}

// next returns the next line. It discards what exceeds maxRow.
func (l *lines) next() (line, error) {
	if len(l.back) > 0 {
		first := l.back[0]
		l.back = l.back[1:]
		return first, nil
	}
	l.number++
	var text []byte
	tooLong := false
	for {
		part, err := l.source.ReadSlice('\n')
		if room := maxRow + len("\r\n") - len(text); len(part) > room {
			part, tooLong = part[:room], true
		}
		text = append(text, part...)
		switch {
		case err == nil, errors.Is(err, io.EOF) && len(text) > 0:
			text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
			return line{string(text), l.number, tooLong || len(text) > maxRow}, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return line{}, err
		}
	}
}

// unread lets next return lines again.
func (l *lines) unread(again []line) {
	if len(again) > 0 {
		l.back = append(again, l.back...)
	}
}
