package cli

import (
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/command"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/rules"
)

func diffCommand(e *command.Env) *cobra.Command {
	var urls string
	var noSecrets bool
	cmd := &cobra.Command{
		Use: "diff OLD NEW", Short: "Show which paths change protection between two configurations",
		Example: command.Example(
			"hubgate diff hubgate.yaml new.yaml",
			"hubgate diff hubgate.yaml new.yaml --urls sitemap.txt",
		),
		Long: `Compares what the rules of two files require of visitors, at every pattern of either file and at the URLs in
the file of --urls. The secrets of the files are not needed.
Exit status: 0 when nothing becomes more open, 1 when something does, 2 when a file has mistakes.`,
		Args: command.Arguments(2, "two configuration files, the old and the new one"),
		RunE: func(_ *cobra.Command, args []string) error { return diff(e, args, urls, noSecrets) },
	}
	command.NoSecretsFlag(cmd, &noSecrets, true)
	cmd.Flags().StringVar(&urls, "urls", "", "file of further URLs to compare, one per line")
	return cmd
}

func diff(e *command.Env, paths []string, urls string, noSecrets bool) error {
	was, err := e.MustLoad(paths[0], noSecrets)
	if err != nil {
		return err
	}
	is, err := e.MustLoad(paths[1], noSecrets)
	if err != nil {
		return err
	}
	var list io.Reader
	if urls != "" {
		file, err := os.Open(urls)
		if err != nil {
			return command.UsageError("--urls: " + err.Error())
		}
		defer file.Close()
		list = file
	}
	changes, err := config.Diff(was, is, list)
	if bad := (*rules.LineError)(nil); errors.As(err, &bad) {
		return command.UsageError("--urls: " + urls + ":" + bad.Error())
	}
	if err != nil {
		return err
	}
	if err := printChanges(e, changes); err != nil {
		return err
	}
	if changes.MoreOpen() > 0 {
		return command.SilentError(command.ExitFailed)
	}
	return nil
}

func printChanges(e *command.Env, changes rules.Changes) error {
	if e.Output == "json" {
		if changes == nil {
			changes = rules.Changes{}
		}
		return e.PrintJSON(map[string]any{"changes": changes, "more_open": changes.MoreOpen()})
	}
	if len(changes) == 0 {
		command.Fprintln(e.Stdout, "No path changes protection.")
		return nil
	}
	width := 0
	for _, ch := range changes {
		width = max(width, len(ch.Place))
	}
	for _, ch := range changes {
		mark, example := command.Colored("  stricter or different"), ""
		if ch.MoreOpen {
			mark = e.Color(e.Stdout, command.Red, "  MORE OPEN")
		}
		if ch.Example != "" && ch.Example != ch.Place {
			example = ", for example " + ch.Example
		}
		command.Fprintf(e.Stdout, "%-*s  %s -> %s%s%s\n", width, ch.Place, ch.Was, ch.Is, mark, example)
	}
	command.Fprintf(e.Stdout, "%s, %d more open\n", setting.Count(len(changes), "change"), changes.MoreOpen())
	return nil
}
