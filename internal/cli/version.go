package cli

import (
	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/buildinfo"
	"github.com/hubgate/hubgate/internal/command"
)

func versionCommand(e *command.Env) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print version information", Args: command.NoArguments,
		Example: command.Example("hubgate version --output json"),
		RunE: func(*cobra.Command, []string) error {
			b := buildinfo.Read()
			if e.Output == "json" {
				return e.PrintJSON(b)
			}
			_, err := command.Fprintln(e.Stdout, b)
			return err
		},
	}
}
