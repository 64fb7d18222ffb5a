// Command bench measures the figures in docs/performance.md and docs/sizing.md, always next to a reference in the same
// run: on a machine with other load, only ratios of neighbouring rounds are meaningful.
//
//	go run ./bench signedin   CPU of a request through hubgate, divided by that through a bare tuned reverse proxy
//	go run ./bench revoke     how soon another replica drops a session that was ended
//	go run ./bench load       a million sessions in Redis: memory per session, and whether look-ups stay as cheap
//	go run ./bench memory     memory of hubgate, per session and connection, and of Redis per queued contact
//	go run ./bench soak       logins, pages and reloads for half an hour: whether heap and goroutines stay flat
//
// It needs redis-server, and builds hubgate itself. Everything runs on loopback and stops with it.
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
		"signedin": runSignedIn, "revoke": runRevoke, "load": runLoad, "soak": runSoak, "memory": runMemory,
		// started as processes by the others
		"origin": serveOrigin, "bare": serveBare,
	}
	if len(args) == 0 || commands[args[0]] == nil {
		return errors.New("usage: go run ./bench signedin|revoke|load|memory|soak [-h]")
	}
	return commands[args[0]](ctx, args[1:])
}
