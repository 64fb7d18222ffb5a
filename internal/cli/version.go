package cli

import (
	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/buildinfo"
)

func versionCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print version information", Args: noArguments,
		Example: example("hubgate version --output json"),
		RunE: func(*cobra.Command, []string) error {
			b := buildinfo.Read()
			if e.output == "json" {
				return e.printJSON(b)
			}
			_, err := fprintln(e.stdout, b)
			return err
		},
	}
}
