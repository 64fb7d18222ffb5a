package cli

import (
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/command"
	"github.com/spf13/cobra"
)

// hubgateWords finds the words of the hubgate command in an example, which may have a pipe and a redirection.
var hubgateWords = regexp.MustCompile(`(?:^|\| )(hubgate[^|>]*)`)

func TestHelpHasExamplesThatParse(t *testing.T) {
	t.Parallel()
	newRoot := func() *cobra.Command {
		unset := func(string) string { return "" }
		return rootCommand(&command.Env{Ctx: t.Context(), Getenv: unset, Stdout: io.Discard, Stderr: io.Discard})
	}
	examples := 0
	for _, path := range commandPaths(newRoot()) {
		for line := range strings.Lines(find(t, newRoot(), path).Example) {
			examples++
			found := hubgateWords.FindStringSubmatch(strings.TrimSpace(line))
			if found == nil {
				t.Errorf("%s: the example does not run hubgate: %s", path, line)
				continue
			}
			root := newRoot() // flags keep their values
			cmd, rest, err := root.Find(strings.Fields(found[1])[1:])
			if err != nil || !strings.HasPrefix(cmd.CommandPath(), path) {
				t.Errorf("%s: the example is of %s, %v: %s", path, cmd.CommandPath(), err, line)
				continue
			}
			if err := cmd.ParseFlags(rest); err != nil {
				t.Errorf("%s: %v: %s", path, err, line)
			} else if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
				t.Errorf("%s: %v: %s", path, err, line)
			}
		}
	}
	if examples < 40 {
		t.Errorf("only %d examples were found", examples)
	}
}

// commandPaths returns the paths of a command and of those below it.
func commandPaths(cmd *cobra.Command) []string {
	paths := []string{cmd.CommandPath()}
	for _, sub := range cmd.Commands() {
		paths = append(paths, commandPaths(sub)...)
	}
	return paths
}

// find returns a command, which must have an example.
func find(t *testing.T, root *cobra.Command, path string) *cobra.Command {
	t.Helper()
	cmd, _, err := root.Find(strings.Fields(path)[1:])
	if err != nil {
		t.Fatal(err)
	}
	if cmd.Example == "" {
		t.Errorf("%s --help has no example", path)
	}
	return cmd
}
