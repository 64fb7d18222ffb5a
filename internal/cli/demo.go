package cli

import (
	"net/netip"

	"github.com/spf13/cobra"

	"github.com/hubgate/hubgate/internal/command"
	"github.com/hubgate/hubgate/internal/demo"
	"github.com/hubgate/hubgate/internal/setting"
)

// demoLoopback is where the demo listens unless it is told otherwise.
const demoLoopback = "127.0.0.1"

func demoCommand(e *command.Env) *cobra.Command {
	base, bind := 8080, demoLoopback
	cmd := &cobra.Command{
		Use:     "demo",
		Short:   "Try everything in one process on this machine, without accounts or configuration",
		Example: command.Example("hubgate demo", "hubgate demo --base-port 9000", "hubgate demo --bind 0.0.0.0"),
		Long: `Runs the gateway with a fake Cognito, a fake HubSpot and an embedded Redis. The gateway is at
http://localhost:8080, and the next three ports are in use too. On a terminal, the demo prints one short line for each
login, refusal and reload, and warnings; stderr has the whole log if it is a file or a pipe.

In a container, use --bind 0.0.0.0 and publish the three ports under the same numbers:
docker run -it --tmpfs /tmp -p 8080-8082:8080-8082 IMAGE demo --bind 0.0.0.0`,
		Args: command.NoArguments,
		RunE: func(*cobra.Command, []string) error {
			if base < 1024 || base > 65532 {
				return command.UsageError("--base-port must be from 1024 to 65532; the demo uses this port and the next three")
			}
			address, err := netip.ParseAddr(bind)
			if err != nil || bind != demoLoopback && !address.IsUnspecified() {
				return command.UsageError("--bind: " + setting.Quote(bind) + " is not an address for the demo, whose parts reach " +
					"each other on 127.0.0.1; write 0.0.0.0 for every address of the machine")
			}
			if command.IsTerminal(e.Stderr) {
				e.Stderr = &demoLog{terminal: e.Stderr}
			}
			stdout, log := e.Detach()
			return demo.Run(e.Ctx, demo.Config{Base: base, Bind: address, Program: command.Program()}, stdout, log)
		},
	}
	command.WithoutJSON(cmd)
	cmd.Flags().IntVar(&base, "base-port", base, "port of the gateway; the fakes and the admin listener use the next 3")
	cmd.Flags().StringVar(&bind, "bind", bind,
		"address of the gateway and the fakes; 0.0.0.0 in a container. The admin listener stays on 127.0.0.1")
	return cmd
}
