package cli

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/setting"
)

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
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownCommand(cmd, args[0])
		}
		return cmd.Help()
	}
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
		case "help":
			cmd.RunE = func(_ *cobra.Command, args []string) error { return helpAbout(root, args) }
		}
	}
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
