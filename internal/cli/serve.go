package cli

import (
	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/gateway"
)

func serveCommand(e *env) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Run the gateway",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			_, log := e.detach()
			return gateway.Serve(e.ctx, gateway.ServeConfig{Path: path, Getenv: e.getenv, Log: log})
		},
	}
	configFlag(cmd, &path)
	return cmd
}
