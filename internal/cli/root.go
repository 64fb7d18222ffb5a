package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/buildinfo"
	"github.com/hubgate/hubgate/internal/cli/contacts"
	"github.com/hubgate/hubgate/internal/command"
)

// commands is the table of subcommands.
var commands = []func(*command.Env) *cobra.Command{
	demoCommand, initCommand, serveCommand, checkCommand, explainCommand, diffCommand, sessionsCommand, contacts.Command,
	pagesCommand, schemaCommand, keygenCommand, healthcheckCommand, versionCommand,
}

func rootCommand(e *command.Env) *cobra.Command {
	root := &cobra.Command{
		Use:   "hubgate",
		Short: "A login gateway for HubSpot websites",
		Long: `hubgate is a reverse proxy in front of a HubSpot website. It protects pages with a login.

Without --config, commands use the file that the environment variable HUBGATE_CONFIG names, or hubgate.yaml in the
working directory.

` + command.ExitStatuses,
		Example:       command.Example("hubgate demo", "hubgate init", "hubgate check --live", "hubgate serve"),
		Version:       buildinfo.Read().String(),
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return e.CheckOutput(cmd) },
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetOut(e.Stdout)
	root.SetErr(e.Stderr)
	root.SetFlagErrorFunc(command.FlagMistake)
	root.PersistentFlags().StringVarP(&e.Output, "output", "o", "text", "output format: text or json")
	for _, make := range commands {
		root.AddCommand(make(e))
	}
	command.Group(root)
	command.StrictHelp(root)
	return root
}

// Run runs hubgate with arguments and returns the exit status. Results go to stdout, messages to stderr.
func Run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	e := &command.Env{Ctx: ctx, Getenv: getenv, Stdout: stdout, Stderr: stderr}
	root := rootCommand(e)
	root.SetArgs(args)
	defer e.Finish()
	cmd, err := root.ExecuteContextC(ctx)
	if command.AsksJSON(args) { // the flag may stand behind a mistake, at which parsing ended
		e.Output = "json"
	}
	return e.Exit(cmd, err)
}
