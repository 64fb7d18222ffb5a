// Command bench measures what docs/performance.md promises, beside something to compare with and in the same run: on a machine
// that others use as well, only ratios of neighbouring rounds mean anything.
//
//	go run ./bench signedin   CPU of a request through hubgate, divided by that through a bare tuned reverse proxy
//	go run ./bench revoke     how soon another replica drops a session that ended
//	go run ./bench load       a million sessions in Redis: memory of each, and whether a look-up stays as cheap
//	go run ./bench soak       logins, pages, logouts and reloads for half an hour: whether heap and goroutines stay flat
//
// It needs redis-server, and builds hubgate itself. Everything runs on loopback and ends with it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	commands := map[string]func(context.Context, []string) error{
		"signedin": signedIn, "revoke": revoke, "load": load, "soak": soak,
		// what the others start as processes of their own
		"origin": serveOrigin, "bare": serveBare,
	}
	if len(args) == 0 || commands[args[0]] == nil {
		return errors.New("usage: go run ./bench signedin|revoke|load|soak [-h]")
	}
	return commands[args[0]](ctx, args[1:])
}
