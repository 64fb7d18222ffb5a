package cli

import (
	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/command"
	"github.com/hubgate/hubgate/internal/schema"
)

func schemaCommand(e *command.Env) *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of the configuration, for editors", Args: command.NoArguments,
		Example: command.Example("hubgate schema > config.schema.json"),
		RunE:    func(*cobra.Command, []string) error { return e.PrintJSON(schema.JSON()) },
	}
}
