package contacts

import (
	"io"
	"time"

	"github.com/hubgate/hubgate/internal/command"
)

// progress shows how far a command is: on a terminal in one line, otherwise now and then in a line of its own.
type progress struct {
	w        io.Writer
	report   func(string) // prints a line
	terminal bool
	shown    bool      // a line is on the terminal
	last     time.Time // when the last line was written to something else
	because  string    // the obstacle in that line
}

const progressEvery = 30 * time.Second

// show shows a text, with an obstacle that it names, or "". A new obstacle is written at once, also without a terminal.
func (p *progress) show(text, because string) {
	switch now := time.Now(); {
	case p.terminal:
		p.clear()
		command.Fprintf(p.w, "%s", text)
		p.shown = true
	case now.Sub(p.last) >= progressEvery, because != "" && because != p.because:
		p.report(text)
		p.last, p.because = now, because
	}
}

// clear removes the line from the terminal.
func (p *progress) clear() {
	if p.shown {
		_, _ = io.WriteString(p.w, "\r\x1b[K")
		p.shown = false
	}
}
