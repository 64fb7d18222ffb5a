package cli

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/command"
)

// initialized runs init in a new working directory, with what a person types at a terminal.
func initialized(t *testing.T, typed string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	t.Chdir(t.TempDir())
	return initializedHere(t, typed, args...)
}

// initializedHere is initialized in the working directory.
func initializedHere(t *testing.T, typed string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	terminal, keyboard := newTerminal(t)
	if _, err := keyboard.WriteString(typed); err != nil {
		t.Fatal(err)
	}
	var out, messages bytes.Buffer
	e := &command.Env{Ctx: t.Context(), Getenv: func(string) string { return "" }, Stdout: &out, Stderr: &messages}
	root := rootCommand(e)
	root.SetIn(terminal)
	root.SetArgs(append([]string{"init"}, args...))
	status = e.Exit(root.ExecuteContextC(e.Ctx))
	return status, out.String(), messages.String()
}

const endOfInput = "\x04" // Ctrl-D at the beginning of a line

func TestInitAsksAgainUntilTheAnswerIsValid(t *testing.T) {
	typed := "www.example.com/blog\nwww.example.com\n12x\n12345678\n\n" + // the data center is the default
		"eu-west-1\neu-west-1_AbCdEf123\n\nterraform\n"
	status, stdout, stderr := initialized(t, typed)
	if status != command.ExitOK || !strings.Contains(stdout, "wrote cognito.tf") {
		t.Errorf("%d\n%s\n%s", status, stdout, stderr)
	}
	for _, says := range []string{
		"more than scheme, host and port", `"12x" is not a Hub ID`, "[na1]", `"eu-west-1" is not a user pool ID`,
	} {
		if strings.Count(stderr, says) != 1 {
			t.Errorf("no %q in\n%s", says, stderr)
		}
	}
	if text, err := os.ReadFile("hubgate.yaml"); err != nil || !strings.Contains(string(text), "12345678") {
		t.Errorf("%s %v", text, err)
	}
}

func TestInitAsksOnlyWhatFlagsDoNotSay(t *testing.T) {
	status, _, stderr := initialized(t, "12345678\n", "--site", "www.example.com", "--data-center", "eu1",
		"--user-pool", "eu-west-1_AbCdEf123", "--client-id", "4jqexample7k")
	if status != command.ExitOK || strings.Count(stderr, ": ") != 1 ||
		!strings.Contains(stderr, "\nHub ID, such as 12345678") {
		t.Errorf("%d %s", status, stderr)
	}
}

// Its files would not be written after the last answer.
func TestInitDoesNotAskWhereFilesExist(t *testing.T) {
	for _, name := range []string{"hubgate.yaml", ".env"} {
		t.Chdir(t.TempDir())
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		status, _, stderr := initializedHere(t, endOfInput)
		if status != command.ExitFailed || stderr != "hubgate: nothing was written, because of files that exist: "+name+
			"; move them away, or work in another folder\n" {
			t.Errorf("%d %s", status, stderr)
		}
	}
}

func TestInitWritesNothingWithoutAllAnswers(t *testing.T) {
	for typed, says := range map[string]string{
		"www.example.com\n" + endOfInput: "nothing was written: the input ended",
		endOfInput:                       "nothing was written: the input ended",
	} {
		status, _, stderr := initialized(t, typed)
		files, err := os.ReadDir(".")
		if status != command.ExitFailed || !strings.Contains(stderr, says) || len(files) > 0 || err != nil {
			t.Errorf("%q: %d %s %v %v", typed, status, stderr, files, err)
		}
	}
}
