package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/gateway"
)

func serveCommand(e *env) *cobra.Command {
	var path configPath
	cmd := &cobra.Command{
		Use:     "serve [--config FILE]",
		Short:   "Run the gateway",
		Example: example("hubgate serve", "hubgate serve --config /etc/hubgate/hubgate.yaml"),
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			file, err := e.locate(path)
			if err != nil {
				return err
			}
			_, log := e.detach()
			err = gateway.Serve(e.ctx, gateway.ServeConfig{Path: file.Path, From: file.From, Getenv: e.getenv, Log: log})
			if bad := (*config.Error)(nil); errors.As(err, &bad) { // otherwise the log says it
				e.announce(file)
			}
			return err
		},
	}
	withoutJSON(cmd)
	configFlag(cmd, &path)
	return cmd
}
