package demo

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

	"golang.org/x/sync/errgroup"

	"github.com/hubgate/hubgate/internal/gateway"
	"github.com/hubgate/hubgate/internal/logging"
)

// Run is serve with the fakes beside it: it differs in addresses and credentials only. The gateway is localhost and the fakes are
// 127.0.0.1, another site for cookies, so that the browser treats them as strangers, as it does in real life.
func Run(ctx context.Context, stdout io.Writer, log *logging.Writer, base int) error {
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
		group.Go(func() error { return gateway.Closed(fake.server.Serve(fake.listener)) })
	}
	group.Go(func() error {
		defer func() {
			for _, fake := range fakes {
				fake.server.Close()
			}
		}()
		return gateway.Serve(ctx, gateway.ServeConfig{
			Path: path, Getenv: func(string) string { return "" }, Log: log,
			Ready: func() { fmt.Fprint(stdout, d.welcome(path)) },
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
