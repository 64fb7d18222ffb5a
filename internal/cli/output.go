package cli

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

// detach makes a long-running command independent of the readers of its output: separate goroutines write it, and a
// closed pipe does not kill the process (SIGPIPE). Other commands do not call it, so that "hubgate pages | head" ends.
func (e *env) detach() (stdout io.Writer, stderr *logging.Writer) {
	signal.Ignore(syscall.SIGPIPE)
	out, stderr := logging.NewWriter(e.stdout), logging.NewWriter(e.stderr)
	e.stdout, e.stderr = out, stderr
	e.detached = []*logging.Writer{out, stderr}
	return out, stderr
}

// finish flushes the output of a detached command.
func (e *env) finish() {
	var all sync.WaitGroup
	for _, w := range e.detached {
		all.Go(func() { w.Close(exitWait) })
	}
	all.Wait()
}

// isTerminal reports whether a person is at the other end of a stream, who can read colors and confirm.
func isTerminal(stream any) bool {
	file, isFile := stream.(*os.File)
	return isFile && hasWindow(file)
}

// fprintf is fmt.Fprintf for the output of commands: it makes every text among the arguments visible. They come from
// HubSpot, files, visitors and other programs.
func fprintf(w io.Writer, format string, args ...any) (int, error) {
	shown := make([]any, len(args))
	for i, arg := range args {
		shown[i] = visibleArgument(arg)
	}
	return fmt.Fprintf(w, format, shown...)
}

// fprintln prints one text as a line.
func fprintln(w io.Writer, text any) (int, error) { return fprintf(w, "%s\n", text) }

// lines is a text of several lines.
type lines string

// colored is a text that is visible and may have a color.
type colored string

func visibleArgument(arg any) any {
	switch text := arg.(type) {
	case colored:
		return string(text)
	case lines:
		return visible(string(text), "\n")
	case error:
		return visible(text.Error(), "")
	case fmt.Stringer:
		return visible(text.String(), "")
	}
	if v := reflect.ValueOf(arg); v.Kind() == reflect.String {
		return visible(v.String(), "")
	}
	return arg
}

// visible replaces the characters of a text that a terminal does not print, except those in keep: escape sequences for
// the operator's terminal (CWE-150), overrides of the direction, and line ends and tabs that look like another value.
func visible(text, keep string) string {
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

// printJSON prints a result for programs.
func (e *env) printJSON(v any) error {
	encoded, err := encodeJSON(v, "  ")
	if err != nil {
		return err
	}
	_, err = e.stdout.Write(encoded)
	return err
}

// encodeJSON returns a line of JSON, or several with an indentation. It escapes nothing for HTML: <secret> is readable.
func encodeJSON(v any, indent string) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	err := encoder.Encode(v)
	return visibleJSON(text.Bytes()), err
}

// table prints columns below their headings, if any. Its caller flushes it.
func (e *env) table(headings ...string) *tabwriter.Writer {
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	if len(headings) > 0 {
		_, _ = io.WriteString(t, strings.Join(headings, "\t")+"\n") // Flush returns the error
	}
	return t
}

// color returns text in an ANSI color if the writer is a terminal with colors.
func (e *env) color(w io.Writer, code, text string) colored {
	text = visible(text, "\n")
	if !isTerminal(w) || e.getenv("NO_COLOR") != "" || e.getenv("TERM") == "dumb" {
		return colored(text)
	}
	return colored("\x1b[" + code + "m" + text + "\x1b[0m")
}

const (
	red    = "31"
	green  = "32"
	yellow = "33"
)
