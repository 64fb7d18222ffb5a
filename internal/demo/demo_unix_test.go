//go:build unix

package demo

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hubgate/hubgate/internal/logging"
)

// freeBase returns the first of four consecutive ports that are free.
func freeBase(t *testing.T) int {
	t.Helper()
	for base := 20000; base < 60000; base += 97 {
		free := true
		for port := base; port < base+4; port++ {
			l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(local.Bind, uint16(port))))
			if free = err == nil; !free {
				break
			}
			l.Close()
		}
		if free {
			return base
		}
	}
	t.Fatal("no free ports")
	return 0
}

// welcomed is the demo's output: it is closed when the demo has printed what to open.
type welcomed chan struct{}

func (w welcomed) Write(text []byte) (int, error) {
	if strings.Contains(string(text), "Ctrl-C stops it") {
		close(w)
	}
	return len(text), nil
}

// A demo that went on without its terminal would keep the ports, and the next one could not start.
func TestDemoEndsWithItsTerminal(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	log := logging.NewWriter(io.Discard)
	defer log.Close(0)
	ctx, cancel := context.WithCancelCause(t.Context())
	stdout, ended := welcomed(make(chan struct{})), make(chan error, 1)
	cfg := Config{Base: freeBase(t), Bind: local.Bind}
	go func() { ended <- Run(ctx, cfg, stdout, log) }()
	select {
	case <-stdout:
	case err := <-ended:
		t.Fatal(err)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	watchdog := time.AfterFunc(10*time.Second, func() { cancel(errors.New("the demo goes on")) })
	defer watchdog.Stop()
	err := <-ended
	left, _ := filepath.Glob(filepath.Join(temp, "*"))
	if err != nil || context.Cause(ctx) != nil || len(left) > 0 {
		t.Error(err, context.Cause(ctx), left)
	}
}
