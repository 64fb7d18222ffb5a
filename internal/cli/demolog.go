package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/command"
)

// demoLog shortens the log of the demo for the person at its terminal. It shows warnings, errors, and what visitors and
// the operator did, each as one short line. Lines before the gateway serves are about the demo's own configuration, and
// are left out. The log is written in whole lines.
type demoLog struct {
	terminal io.Writer
	serving  bool
}

// demoLine is a log line with the fields that a short line shows.
type demoLine struct {
	Time                            time.Time
	Level, Msg, Component           string
	Action, Outcome                 string
	Reason, Email, Rule, Protection string
	Problem, Error, Detail, Cure    string
}

// Write shortens lines of the log. It passes on what is not one, such as the error that ends the demo.
func (d *demoLog) Write(text []byte) (int, error) {
	for line := range bytes.Lines(text) {
		var l demoLine
		if json.Unmarshal(line, &l) != nil || l.Msg == "" {
			if _, err := d.terminal.Write(line); err != nil {
				return 0, err
			}
			continue
		}
		if d.serving && l.shown() {
			command.Fprintf(d.terminal, "%s  %s\n", l.Time.Local().Format(time.TimeOnly), l.short())
		}
		d.serving = d.serving || l.Component == "server" && l.Msg == "serving"
	}
	return len(text), nil
}

// shown reports whether a line is worth a person's attention.
func (l demoLine) shown() bool {
	return l.Level == "WARN" || l.Level == "ERROR" || slices.Contains([]string{"login", "logout", "reload"}, l.Action)
}

// short returns the message with its fields.
func (l demoLine) short() string {
	if l.Outcome == "success" {
		l.Reason = ""
	}
	fields := []string{l.Email, l.Rule, l.Reason, l.Protection, l.Problem, l.Error, l.Detail, l.Cure}
	fields = slices.DeleteFunc(fields, func(field string) bool { return field == "" })
	if len(fields) == 0 {
		return l.Msg
	}
	return l.Msg + ": " + strings.Join(fields, "; ")
}
