// Command hubgate is a login gate for HubSpot websites: a reverse proxy that lets only logged-in people see the pages that need it.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// The exit statuses.
const (
	exitOK     = 0
	exitFailed = 1 // ran and failed
	exitUsage  = 2 // bad usage or configuration
)

// run is the whole program as a function of its inputs. Results go to stdout, messages to stderr.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	e := &env{ctx: ctx, getenv: getenv, stdout: stdout, stderr: stderr}
	root := rootCommand(e)
	root.SetArgs(args)
	defer e.finish()
	return e.exit(root.ExecuteContextC(ctx))
}
