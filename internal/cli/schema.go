package cli

import (
	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/schema"
)

func schemaCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of the configuration, for editors", Args: noArguments,
		Example: example("hubgate schema > config.schema.json"),
		RunE:    func(*cobra.Command, []string) error { return e.printJSON(schema.JSON()) },
	}
}
