package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/buildinfo"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/logging"
	"github.com/hubgate/hubgate/internal/setting"
)

// env is what every command works with.
type env struct {
	ctx            context.Context
	getenv         func(string) string
	stdout, stderr io.Writer
	output         string            // text | json
	detached       []*logging.Writer // what a command that goes on running prints to
}

// commands is the table of what hubgate can do.
var commands = []func(*env) *cobra.Command{
	demoCommand, serveCommand, checkCommand, explainCommand, diffCommand, sessionsCommand, contactsCommand, pagesCommand,
	schemaCommand, keygenCommand, healthcheckCommand, versionCommand,
}

func rootCommand(e *env) *cobra.Command {
	root := &cobra.Command{
		Use:   "hubgate",
		Short: "A login gate for HubSpot websites",
		Long: `hubgate stands in front of a HubSpot website and lets only logged-in people see the pages that need it.

Try it with nothing installed:   hubgate demo
Check a configuration:           hubgate check --config hubgate.yaml
Run it:                          hubgate serve --config hubgate.yaml`,
		Version:       buildinfo.Read().String(),
		SilenceErrors: true, SilenceUsage: true, SuggestionsMinimumDistance: 2,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if e.output != "text" && e.output != "json" {
				return usageError("--output is text or json, not " + fmt.Sprintf("%q", setting.Shorten(e.output)))
			}
			return nil
		},
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetOut(e.stdout)
	root.SetErr(e.stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError(err.Error()) })
	root.PersistentFlags().StringVarP(&e.output, "output", "o", "text", "how results are printed: text or json")
	for _, make := range commands {
		root.AddCommand(make(e))
	}
	strictHelp(root)
	return root
}

// usageError is a command line that cannot be understood: exit status 2.
type usageError string

func (e usageError) Error() string { return string(e) }

// silentError ends a command with a status after it has said everything itself.
type silentError int

func (e silentError) Error() string { return "" }

// exit turns a command's error into messages and a status.
func (e *env) exit(cmd *cobra.Command, err error) int {
	var usage usageError
	var silent silentError
	var config *config.Error
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &silent):
		return int(silent)
	case errors.As(err, &config):
		fmt.Fprintln(e.stderr, config.Error())
		return ExitUsage
	case errors.As(err, &usage), isCobraUsage(err):
		fmt.Fprintf(e.stderr, "hubgate: %v\nRun \"%s --help\" for what there is.\n", err, cmd.CommandPath())
		return ExitUsage
	}
	fmt.Fprintf(e.stderr, "hubgate: %v\n", err)
	return exitFailed
}

// isCobraUsage tells cobra's own complaints about the command line, which have no type.
func isCobraUsage(err error) bool {
	for _, begin := range []string{"unknown command", "unknown flag", "unknown shorthand", "accepts ", "requires ", "required flag", "invalid argument"} {
		if len(err.Error()) >= len(begin) && err.Error()[:len(begin)] == begin {
			return true
		}
	}
	return false
}

// configFlag adds --config, which most commands need.
func configFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVarP(path, "config", "c", "", "the configuration file (YAML)")
	_ = cmd.MarkFlagRequired("config")
	_ = cmd.MarkFlagFilename("config", "yaml", "yml")
}

// printJSON prints a result for programs.
func (e *env) printJSON(v any) error {
	encoder := json.NewEncoder(e.stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// colour wraps text in an ANSI colour when the writer is a terminal that wants it.
func (e *env) colour(w io.Writer, code, text string) string {
	file, ok := w.(*os.File)
	if !ok || e.getenv("NO_COLOR") != "" || e.getenv("TERM") == "dumb" {
		return text
	}
	if info, err := file.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

const (
	red    = "31"
	green  = "32"
	yellow = "33"
)

// The exit statuses.
const (
	exitOK     = 0
	exitFailed = 1 // ran and failed
	ExitUsage  = 2 // bad usage or configuration
)

// Run is the whole program as a function of its inputs. Results go to stdout, messages to stderr.
func Run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	e := &env{ctx: ctx, getenv: getenv, stdout: stdout, stderr: stderr}
	root := rootCommand(e)
	root.SetArgs(args)
	defer e.finish()
	return e.exit(root.ExecuteContextC(ctx))
}
