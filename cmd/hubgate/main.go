// Command hubgate is a login gate for HubSpot websites: a reverse proxy that lets only logged-in people see the pages
// that need it.
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
