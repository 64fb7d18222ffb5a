package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/command"
	"golang.org/x/sys/unix"
)

// newTerminal returns both ends of a terminal: what is written into keyboard is read from terminal.
func newTerminal(t *testing.T) (terminal, keyboard *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keyboard.Close() })
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return terminal, keyboard
}

// notTerminals returns files that a program gets as its input or output without a person who reads or types.
func notTerminals(t *testing.T) map[string]any {
	t.Helper()
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]*os.File{"pipe": in, "other end of a pipe": out}
	for name, path := range map[string]string{
		"null device": os.DevNull, "zero device": "/dev/zero", "file": filepath.Join(t.TempDir(), "answers"),
	} {
		if files[name], err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all := map[string]any{"buffer": &bytes.Buffer{}}
	for name, file := range files {
		t.Cleanup(func() { file.Close() })
		all[name] = file
	}
	return all
}

func TestTerminalIsNotAnyDevice(t *testing.T) {
	t.Parallel()
	e := &command.Env{Getenv: func(string) string { return "" }}
	for name, stream := range notTerminals(t) {
		if command.IsTerminal(stream) {
			t.Errorf("%s is taken for a terminal", name)
		}
		if w, ok := stream.(io.Writer); ok && e.Color(w, command.Red, "x") != "x" {
			t.Errorf("%s is colored", name)
		}
	}
	terminal, _ := newTerminal(t)
	if !command.IsTerminal(terminal) || e.Color(terminal, command.Red, "x") == "x" {
		t.Error("a terminal is not recognized")
	}
}

func TestContactsSetupAsksOnlyTerminals(t *testing.T) {
	t.Parallel()
	for name, stream := range notTerminals(t) {
		config, created := unready(t, 4711)
		status, stderr := setupFrom(t, config, stream.(io.Reader))
		if status != command.ExitFound || len(created) > 0 || !strings.Contains(stderr,
			"nothing was created: not a terminal; use --yes") {
			t.Errorf("%s: %d %v %s", name, status, created, stderr)
		}
	}
	for answer, want := range map[string]int{"y\n": 5, "YES\n": 5, "n\n": 0, "\n": 0, "yeah\n": 0} {
		config, created := unready(t, 4711)
		terminal, keyboard := newTerminal(t)
		if _, err := keyboard.WriteString(answer); err != nil {
			t.Fatal(err)
		}
		if status, stderr := setupFrom(t, config, terminal); len(created) != want ||
			(status == command.ExitOK) != (want > 0) {
			t.Errorf("%q: %d %v %s", answer, status, created, stderr)
		}
	}
}

// setupFrom runs contacts setup with an input.
func setupFrom(t *testing.T, config string, stdin io.Reader) (status int, stderr string) {
	t.Helper()
	var messages bytes.Buffer
	e := &command.Env{Ctx: t.Context(), Getenv: func(string) string { return "" }, Stdout: io.Discard, Stderr: &messages}
	root := rootCommand(e)
	root.SetIn(stdin)
	root.SetArgs([]string{"contacts", "setup", "--config", config})
	status = e.Exit(root.ExecuteContextC(e.Ctx))
	return status, messages.String()
}
