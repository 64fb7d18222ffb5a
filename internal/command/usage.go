package command

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/setting"
)

// The exit statuses of all commands.
const (
	ExitOK     = 0
	ExitFailed = 1 // could not do or ask what it was told; check --live: a check failed; diff: something is more open
	ExitUsage  = 2 // usage error, or mistakes in a file
	ExitFound  = 3 // ran, and found what a person has to see to
)

// ExitStatuses describes the exit statuses for --help.
const ExitStatuses = `Exit status:
0  success
1  the command failed or could not ask; a check of "check --live" failed; "diff" found something more open
2  a mistake in the command line or in the configuration
3  something needs your attention: leaks, dead letters, dropped values, missing properties, bad rows`

// UsageError is an error in the command line. The exit status is ExitUsage.
type UsageError string

func (e UsageError) Error() string { return string(e) }

// InputError is a mistake in a file that a command reads. The exit status is ExitUsage.
type InputError struct{ Err error }

func (e InputError) Error() string { return e.Err.Error() }

// SilentError ends a command with an exit status and no further message.
type SilentError int

func (e SilentError) Error() string { return "" }

// Found ends a command that ran with ExitFound if there is something that a person has to see to.
func Found(something bool) error {
	if something {
		return SilentError(ExitFound)
	}
	return nil
}

// OneArgument is arguments for one.
func OneArgument(what string) cobra.PositionalArgs { return Arguments(1, what) }

// Arguments is cobra.ExactArgs with a message that says what is missing.
func Arguments(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < n:
			return UsageError("required: " + what)
		case len(args) > n:
			return UsageError(fmt.Sprintf("%s takes %s, got %d", cmd.CommandPath(), setting.Count(n, "argument"), len(args)))
		}
		return nil
	}
}

// NoArguments is cobra.NoArgs with a cure: an argument is often the configuration file.
func NoArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if ext := filepath.Ext(args[0]); cmd.Flag("config") != nil && (ext == ".yaml" || ext == ".yml") {
		return UsageError("use --config: " + cmd.CommandPath() + " --config " + setting.Shorten(args[0]))
	}
	return UsageError(fmt.Sprintf("%s takes no arguments, got %q", cmd.CommandPath(), setting.Shorten(args[0])))
}

// Group makes a command with subcommands reject unknown ones. Cobra would print the help and exit with 0.
func Group(cmd *cobra.Command) {
	WithoutJSON(cmd)
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownCommand(cmd, args[0])
		}
		return nil
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
}

func unknownCommand(of *cobra.Command, word string) error {
	var names []string
	for _, cmd := range of.Commands() {
		if cmd.IsAvailableCommand() || cmd.Name() == "help" {
			names = append(names, cmd.Name())
		}
	}
	text := fmt.Sprintf("unknown command %q for %q", setting.Shorten(word), of.CommandPath())
	if len(names) == 0 {
		return UsageError(text)
	}
	if near := setting.Nearest(word, names); near != "" {
		return UsageError(text + "; did you mean " + near + "?")
	}
	return UsageError(text + "; available commands: " + strings.Join(names, ", "))
}

// StrictHelp makes cobra's own commands, help and completion, reject unknown words too.
func StrictHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "completion":
			Group(cmd)
			cmd.Example = Example("hubgate completion bash > /etc/bash_completion.d/hubgate")
			for _, shell := range cmd.Commands() {
				shell.Example = Example(shell.CommandPath())
				WithoutJSON(shell)
			}
		case "help":
			cmd.Example = Example("hubgate help explain")
			cmd.RunE = func(_ *cobra.Command, args []string) error { return helpAbout(root, args) }
		}
	}
}

// Example returns the lines of a command's examples.
func Example(lines ...string) string { return "  " + strings.Join(lines, "\n  ") }

// Program returns how the operator's shell runs hubgate in the working directory.
func Program() string {
	if strings.Contains(os.Args[0], "/go-build") { // a temporary file of go run
		return "go run ./cmd/hubgate"
	}
	if info, err := os.Stat("hubgate"); err == nil && info.Mode().IsRegular() {
		return "./hubgate"
	}
	return "hubgate"
}

// helpAbout prints the help of a command.
func helpAbout(root *cobra.Command, words []string) error {
	at := root
	for _, word := range words {
		next, rest, err := at.Find([]string{word})
		if err != nil || len(rest) > 0 || next == at {
			return unknownCommand(at, word)
		}
		at = next
	}
	at.InitDefaultHelpFlag()
	return at.Help()
}
