package cli

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hubgate/hubgate/internal/command"
)

// interrupted runs a command at a terminal where Ctrl-C is pressed at the first question.
func interrupted(t *testing.T, args ...string) (status int, stderr string) {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	terminal, _ := newTerminal(t)
	var messages bytes.Buffer
	question := writerFunc(func(text []byte) (int, error) {
		if bytes.HasSuffix(text, []byte(": ")) || bytes.HasSuffix(text, []byte("] ")) {
			interrupt()
		}
		return messages.Write(text)
	})
	e := &command.Env{Ctx: ctx, Getenv: func(string) string { return "" }, Stdout: question, Stderr: question}
	root := rootCommand(e)
	root.SetIn(terminal)
	root.SetArgs(args)
	ended := make(chan int, 1)
	go func() { ended <- e.Exit(root.ExecuteContextC(ctx)) }()
	select {
	case status = <-ended:
	case <-time.After(10 * time.Second):
		t.Fatalf("%v goes on waiting for an answer", args)
	}
	return status, messages.String()
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(text []byte) (int, error) { return f(text) }

func TestInitEndsWithCtrlC(t *testing.T) {
	t.Chdir(t.TempDir())
	status, stderr := interrupted(t, "init")
	files, err := os.ReadDir(".")
	if status != command.ExitFailed || !strings.HasSuffix(stderr,
		"\nhubgate: nothing was written: interrupted before the last answer\n") || len(files) > 0 || err != nil {
		t.Errorf("%d %s %v %v", status, stderr, files, err)
	}
}

func TestContactsSetupEndsWithCtrlC(t *testing.T) {
	t.Parallel()
	config, created := unready(t, 4711)
	status, stderr := interrupted(t, "contacts", "setup", "--config", config)
	if status != command.ExitFound || !strings.HasSuffix(stderr, "\nNothing was created.\n") || len(created) > 0 {
		t.Errorf("%d %s %v", status, stderr, created)
	}
}
