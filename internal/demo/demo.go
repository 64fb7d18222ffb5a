package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hubgate/hubgate/internal/gateway"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/logging"
)

// Config says where the demo listens.
type Config struct {
	Base int        // port of the gateway; the fakes and the admin listener have the next three
	Bind netip.Addr // of the gateway and the fakes: loopback, or every address of the machine. Admin stays on loopback

	Program string // how the reader runs hubgate, for the commands that the demo prints
}

// Run runs serve and the fakes until ctx ends, or until the terminal is closed, for which serve only reads its file
// again. The gateway is localhost and the fakes are 127.0.0.1, so that they are different sites for cookies, as in
// production.
func Run(ctx context.Context, cfg Config, stdout io.Writer, log *logging.Writer) error {
	if !signal.Ignored(syscall.SIGHUP) { // as with nohup
		var stop context.CancelFunc
		ctx, stop = signal.NotifyContext(ctx, syscall.SIGHUP)
		defer stop()
	}
	err := run(ctx, cfg, stdout, log)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w; stop what uses the port, or choose other ports, as with --base-port 9000", err)
	}
	return err
}

func run(ctx context.Context, cfg Config, stdout io.Writer, log *logging.Writer) error {
	folder, err := os.MkdirTemp("", "hubgate-demo-")
	if err != nil {
		return fmt.Errorf("demo: no folder for its configuration: %w; set TMPDIR to a folder that can be written "+
			"(in a container: docker run --tmpfs /tmp)", err)
	}
	defer os.RemoveAll(folder)
	s := newSetup(cfg)
	path, err := s.writeConfig(folder)
	if err != nil {
		return err
	}
	fakes, err := s.listen()
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
			Path: path, From: "the demo", Getenv: func(string) string { return "" }, Log: log,
			Ready: func() { fmt.Fprint(stdout, s.welcome(path)) },
		})
	})
	if err := group.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// fake is the server of a fake.
type fake struct {
	listener net.Listener
	server   *http.Server
}

func listenFake(address netip.AddrPort, h http.Handler) (fake, error) {
	listener, err := net.Listen("tcp", address.String())
	if err != nil {
		return fake{}, fmt.Errorf("demo: %w", err)
	}
	errorLog := slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	return fake{listener, &http.Server{
		Handler: byAddress(h), ReadHeaderTimeout: 10 * time.Second, ErrorLog: errorLog,
	}}, nil
}

// byAddress refuses requests for hosts with other names than localhost: a website could lead its own name to this
// machine (DNS rebinding), and its scripts could read and change what the fakes have.
func byAddress(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := inbound.HostOnly(r.Host)
		if _, err := netip.ParseAddr(host); err != nil && !inbound.IsLoopback(host) {
			http.Error(w, "Open the demo by address, such as 127.0.0.1.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}
