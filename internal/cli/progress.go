package cli

import (
	"io"
	"time"
)

// progress shows how far a command is: on a terminal in one line, otherwise now and then in a line of its own.
type progress struct {
	w        io.Writer
	terminal bool
	shown    bool      // a line is on the terminal
	last     time.Time // when the last line was written to something else
}

const progressEvery = 30 * time.Second

func (p *progress) show(text string) {
	switch now := time.Now(); {
	case p.terminal:
		p.clear()
		fprintf(p.w, "%s", text)
		p.shown = true
	case now.Sub(p.last) >= progressEvery:
		fprintln(p.w, text)
		p.last = now
	}
}

// clear removes the line from the terminal.
func (p *progress) clear() {
	if p.shown {
		_, _ = io.WriteString(p.w, "\r\x1b[K")
		p.shown = false
	}
}
