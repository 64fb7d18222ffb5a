package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/buildinfo"
	"github.com/hubgate/hubgate/internal/logging"
)

// env is the environment of every command.
type env struct {
	ctx            context.Context
	getenv         func(string) string
	stdout, stderr io.Writer
	output         string            // text | json
	detached       []*logging.Writer // writers of a long-running command
}

// commands is the table of subcommands.
var commands = []func(*env) *cobra.Command{
	demoCommand, initCommand, serveCommand, checkCommand, explainCommand, diffCommand, sessionsCommand, contactsCommand,
	pagesCommand, schemaCommand, keygenCommand, healthcheckCommand, versionCommand,
}

func rootCommand(e *env) *cobra.Command {
	root := &cobra.Command{
		Use:   "hubgate",
		Short: "A login gateway for HubSpot websites",
		Long: `hubgate is a reverse proxy in front of a HubSpot website. It protects pages with a login.

Without --config, commands use the file that the environment variable HUBGATE_CONFIG names, or hubgate.yaml in the
working directory.

` + exitStatuses,
		Example:       example("hubgate demo", "hubgate init", "hubgate check --live", "hubgate serve"),
		Version:       buildinfo.Read().String(),
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return e.checkOutput(cmd) },
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetOut(e.stdout)
	root.SetErr(e.stderr)
	root.SetFlagErrorFunc(flagMistake)
	root.PersistentFlags().StringVarP(&e.output, "output", "o", "text", "output format: text or json")
	for _, make := range commands {
		root.AddCommand(make(e))
	}
	group(root)
	strictHelp(root)
	return root
}

// Run runs hubgate with arguments and returns the exit status. Results go to stdout, messages to stderr.
func Run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	e := &env{ctx: ctx, getenv: getenv, stdout: stdout, stderr: stderr}
	root := rootCommand(e)
	root.SetArgs(args)
	defer e.finish()
	cmd, err := root.ExecuteContextC(ctx)
	if asksJSON(args) { // the flag may stand behind a mistake, at which parsing ended
		e.output = "json"
	}
	return e.exit(cmd, err)
}
