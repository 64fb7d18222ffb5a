package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/command"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/gateway"
)

func serveCommand(e *command.Env) *cobra.Command {
	var path command.ConfigPath
	cmd := &cobra.Command{
		Use:     "serve [--config FILE]",
		Short:   "Run the gateway",
		Example: command.Example("hubgate serve", "hubgate serve --config /etc/hubgate/hubgate.yaml"),
		Args:    command.NoArguments,
		RunE: func(*cobra.Command, []string) error {
			file, err := e.Locate(path)
			if err != nil {
				return err
			}
			_, log := e.Detach()
			err = gateway.Serve(e.Ctx, gateway.ServeConfig{Path: file.Path, From: file.From, Getenv: e.Getenv, Log: log})
			if bad := (*config.Error)(nil); errors.As(err, &bad) { // otherwise the log says it
				e.Announce(file)
			}
			return err
		},
	}
	command.WithoutJSON(cmd)
	command.ConfigFlag(cmd, &path)
	return cmd
}
