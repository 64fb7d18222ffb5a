package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/buildinfo"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/logging"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/internal/site"
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
		Example:       example("hubgate demo", "hubgate check --config hubgate.yaml", "hubgate serve --config hubgate.yaml"),
		Version:       buildinfo.Read().String(),
		SilenceErrors: true, SilenceUsage: true, SuggestionsMinimumDistance: 2,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if e.output != "text" && e.output != "json" {
				return usageError(fmt.Sprintf("--output must be text or json, not %q", setting.Shorten(e.output)))
			}
			return nil
		},
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetOut(e.stdout)
	root.SetErr(e.stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError(err.Error()) })
	root.PersistentFlags().StringVarP(&e.output, "output", "o", "text", "output format: text or json")
	for _, make := range commands {
		root.AddCommand(make(e))
	}
	strictHelp(root)
	return root
}

// exit prints a command's error and returns the exit status.
func (e *env) exit(cmd *cobra.Command, err error) int {
	var usage usageError
	var silent silentError
	var config *config.Error
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &silent):
		return int(silent)
	case errors.Is(err, site.ErrNoToken):
		fprintf(e.stderr, "hubgate: %v\n", lines(err.Error()))
		return ExitUsage
	case errors.As(err, &config):
		fprintln(e.stderr, lines(config.Error()))
		return ExitUsage
	case errors.As(err, &usage), isCobraUsage(err):
		fprintf(e.stderr, "hubgate: %v\nRun \"%s --help\" for usage.\n", lines(err.Error()), cmd.CommandPath())
		return ExitUsage
	}
	fprintf(e.stderr, "hubgate: %v\n", lines(err.Error()))
	return exitFailed
}

// isCobraUsage reports whether an error is cobra's own usage error. Cobra has no type for them.
func isCobraUsage(err error) bool {
	for _, begin := range []string{"unknown command", "unknown flag", "unknown shorthand", "invalid argument"} {
		if strings.HasPrefix(err.Error(), begin) {
			return true
		}
	}
	return false
}

// Run runs hubgate with arguments and returns the exit status. Results go to stdout, messages to stderr.
func Run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	e := &env{ctx: ctx, getenv: getenv, stdout: stdout, stderr: stderr}
	root := rootCommand(e)
	root.SetArgs(args)
	defer e.finish()
	return e.exit(root.ExecuteContextC(ctx))
}
