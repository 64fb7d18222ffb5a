package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/hubgate/hubgate/internal/logging"
)

func demoCommand(e *env) *cobra.Command {
	base := 8080
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Try everything in one process on this machine: no account, no configuration, nothing installed",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			if base < 1024 || base > 65532 {
				return usageError("--base-port is a port from 1024 to 65532; the demo uses it and the three after it")
			}
			stdout, log := e.detach()
			return demo(e.ctx, stdout, log, base)
		},
	}
	cmd.Flags().IntVar(&base, "base-port", base, "port of the gateway; the fakes and the admin listener use the three after it")
	return cmd
}

// demo is serve with the fakes beside it: it differs in addresses and credentials only. The gateway is localhost and the fakes are
// 127.0.0.1, another site for cookies, so that the browser treats them as strangers, as it does in real life.
func demo(ctx context.Context, stdout io.Writer, log *logging.Writer, base int) error {
	folder, err := os.MkdirTemp("", "hubgate-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	d := newDemoWorld(base)
	path, err := d.write(folder)
	if err != nil {
		return err
	}
	fakes, err := d.listen()
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, fake := range fakes {
		group.Go(func() error { return closed(fake.server.Serve(fake.listener)) })
	}
	group.Go(func() error {
		defer func() {
			for _, fake := range fakes {
				fake.server.Close()
			}
		}()
		return serve(ctx, serveConfig{
			path: path, getenv: func(string) string { return "" }, log: log,
			ready: func() { fmt.Fprint(stdout, d.welcome(path)) },
		})
	})
	if err := group.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// fake is one of the strangers the demo brings along.
type fake struct {
	listener net.Listener
	server   *http.Server
}

func listenFake(port int, h http.Handler) (fake, error) {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return fake{}, fmt.Errorf("demo: port %d: %w; choose another with --base-port", port, err)
	}
	quiet := slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	return fake{listener, &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: quiet}}, nil
}
