package cli

import (
	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/demo"
)

func demoCommand(e *env) *cobra.Command {
	base := 8080
	cmd := &cobra.Command{
		Use:     "demo",
		Short:   "Try everything in one process on this machine, without accounts or configuration",
		Example: example("hubgate demo", "hubgate demo --base-port 9000"),
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			if base < 1024 || base > 65532 {
				return usageError("--base-port must be from 1024 to 65532; the demo uses this port and the next three")
			}
			stdout, log := e.detach()
			return demo.Run(e.ctx, stdout, log, base)
		},
	}
	cmd.Flags().IntVar(&base, "base-port", base, "port of the gateway; the fakes and the admin listener use the next 3")
	return cmd
}
