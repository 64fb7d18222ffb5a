package cli

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
	exitOK     = 0
	exitFailed = 1 // could not do or ask what it was told; check --live: a check failed; diff: something is more open
	ExitUsage  = 2 // usage error, or mistakes in a file
	exitFound  = 3 // ran, and found what a person has to see to
)

// exitStatuses describes the exit statuses for --help.
const exitStatuses = `Exit status:
0  success
1  the command failed or could not ask; a check of "check --live" failed; "diff" found something more open
2  a mistake in the command line or in the configuration
3  something needs your attention: leaks, dead letters, dropped values, missing properties, bad rows`

// usageError is an error in the command line. The exit status is ExitUsage.
type usageError string

func (e usageError) Error() string { return string(e) }

// inputError is a mistake in a file that a command reads. The exit status is ExitUsage.
type inputError struct{ error }

// silentError ends a command with an exit status and no further message.
type silentError int

func (e silentError) Error() string { return "" }

// found ends a command that ran with exitFound if there is something that a person has to see to.
func found(something bool) error {
	if something {
		return silentError(exitFound)
	}
	return nil
}

// oneArgument is arguments for one.
func oneArgument(what string) cobra.PositionalArgs { return arguments(1, what) }

// arguments is cobra.ExactArgs with a message that says what is missing.
func arguments(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < n:
			return usageError("required: " + what)
		case len(args) > n:
			return usageError(fmt.Sprintf("%s takes %s, got %d", cmd.CommandPath(), setting.Count(n, "argument"), len(args)))
		}
		return nil
	}
}

// noArguments is cobra.NoArgs with a cure: an argument is often the configuration file.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if ext := filepath.Ext(args[0]); cmd.Flag("config") != nil && (ext == ".yaml" || ext == ".yml") {
		return usageError("use --config: " + cmd.CommandPath() + " --config " + setting.Shorten(args[0]))
	}
	return usageError(fmt.Sprintf("%s takes no arguments, got %q", cmd.CommandPath(), setting.Shorten(args[0])))
}

// group makes a command with subcommands reject unknown ones. Cobra would print the help and exit with 0.
func group(cmd *cobra.Command) {
	withoutJSON(cmd)
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
		return usageError(text)
	}
	if near := setting.Nearest(word, names); near != "" {
		return usageError(text + "; did you mean " + near + "?")
	}
	return usageError(text + "; available commands: " + strings.Join(names, ", "))
}

// strictHelp makes cobra's own commands, help and completion, reject unknown words too.
func strictHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "completion":
			group(cmd)
			cmd.Example = example("hubgate completion bash > /etc/bash_completion.d/hubgate")
			for _, shell := range cmd.Commands() {
				shell.Example = example(shell.CommandPath())
				withoutJSON(shell)
			}
		case "help":
			cmd.Example = example("hubgate help explain")
			cmd.RunE = func(_ *cobra.Command, args []string) error { return helpAbout(root, args) }
		}
	}
}

// example returns the lines of a command's examples.
func example(lines ...string) string { return "  " + strings.Join(lines, "\n  ") }

// program returns how the operator's shell runs hubgate in the working directory.
func program() string {
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
