package command

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf16"

	"github.com/hubgate/hubgate/internal/logging"
)

// exitWait limits how long the process waits at exit for a reader of its output.
const exitWait = time.Second

// Detach makes a long-running command independent of the readers of its output: separate goroutines write it, and a
// closed pipe does not kill the process (SIGPIPE). Other commands do not call it, so that "hubgate pages | head" ends.
func (e *Env) Detach() (stdout io.Writer, stderr *logging.Writer) {
	signal.Ignore(syscall.SIGPIPE)
	out, stderr := logging.NewWriter(e.Stdout), logging.NewWriter(e.Stderr)
	e.Stdout, e.Stderr = out, stderr
	e.detached = []*logging.Writer{out, stderr}
	return out, stderr
}

// Finish flushes the output of a detached command.
func (e *Env) Finish() {
	var all sync.WaitGroup
	for _, w := range e.detached {
		all.Go(func() { w.Close(exitWait) })
	}
	all.Wait()
}

// IsTerminal reports whether a person is at the other end of a stream, who can read colors and confirm.
func IsTerminal(stream any) bool {
	file, isFile := stream.(*os.File)
	return isFile && hasWindow(file)
}

// Fprintf is fmt.Fprintf for the output of commands: it makes every text among the arguments visible. They come from
// HubSpot, files, visitors and other programs.
func Fprintf(w io.Writer, format string, args ...any) (int, error) {
	shown := make([]any, len(args))
	for i, arg := range args {
		shown[i] = visibleArgument(arg)
	}
	return fmt.Fprintf(w, format, shown...)
}

// Fprintln prints one text as a line.
func Fprintln(w io.Writer, text any) (int, error) { return Fprintf(w, "%s\n", text) }

// Lines is a text of several lines.
type Lines string

// Colored is a text that is visible and may have a color.
type Colored string

func visibleArgument(arg any) any {
	switch text := arg.(type) {
	case Colored:
		return string(text)
	case Lines:
		return Visible(string(text), "\n")
	case error:
		return Visible(text.Error(), "")
	case fmt.Stringer:
		return Visible(text.String(), "")
	}
	if v := reflect.ValueOf(arg); v.Kind() == reflect.String {
		return Visible(v.String(), "")
	}
	return arg
}

// Visible replaces the characters of a text that a terminal does not print, except those in keep: escape sequences for
// the operator's terminal (CWE-150), overrides of the direction, and line ends and tabs that look like another value.
func Visible(text, keep string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsPrint(r) || strings.ContainsRune(keep, r):
			return r
		case unicode.Is(unicode.Zs, r): // such as a no-break space
			return ' '
		}
		return unicode.ReplacementChar
	}, text)
}

// visibleJSON escapes the characters that a terminal does not print. encoding/json escapes some of them.
func visibleJSON(encoded []byte) []byte {
	var out []byte
	for _, r := range string(encoded) {
		if r < unicode.MaxASCII || unicode.IsPrint(r) {
			out = append(out, string(r)...)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			out = fmt.Appendf(out, `\u%04x`, unit)
		}
	}
	return out
}

// PrintJSON prints a result for programs.
func (e *Env) PrintJSON(v any) error {
	encoded, err := EncodeJSON(v, "  ")
	if err != nil {
		return err
	}
	_, err = e.Stdout.Write(encoded)
	return err
}

// EncodeJSON returns a line of JSON, or several with an indentation. It escapes nothing for HTML: <secret> is readable.
func EncodeJSON(v any, indent string) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	err := encoder.Encode(v)
	return visibleJSON(text.Bytes()), err
}

// Table prints columns below their headings, if any. Its caller flushes it.
func (e *Env) Table(headings ...string) *tabwriter.Writer {
	t := tabwriter.NewWriter(e.Stdout, 0, 0, 2, ' ', 0)
	if len(headings) > 0 {
		_, _ = io.WriteString(t, strings.Join(headings, "\t")+"\n") // Flush returns the error
	}
	return t
}

// Color returns text in an ANSI color if the writer is a terminal with colors.
func (e *Env) Color(w io.Writer, code, text string) Colored {
	text = Visible(text, "\n")
	if !IsTerminal(w) || e.Getenv("NO_COLOR") != "" || e.Getenv("TERM") == "dumb" {
		return Colored(text)
	}
	return Colored("\x1b[" + code + "m" + text + "\x1b[0m")
}

const (
	Red    = "31"
	Green  = "32"
	Yellow = "33"
)

// ShortTime returns a time in UTC: a gateway and an operator's machine may have different time zones.
func ShortTime(at *time.Time) string {
	if at == nil || at.IsZero() {
		return "-"
	}
	return at.UTC().Format(time.DateTime) + " UTC"
}

// CannotAsk returns why the operator cannot be asked, or "".
func (e *Env) CannotAsk(stdin io.Reader) string {
	switch {
	case e.Output == "json":
		return "--output json does not ask"
	case !IsTerminal(stdin):
		return "not a terminal"
	}
	return ""
}
