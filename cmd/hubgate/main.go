// Command hubgate is a login gateway for HubSpot websites: a reverse proxy that protects pages with a login.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/hubgate/hubgate/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(cli.Run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}
