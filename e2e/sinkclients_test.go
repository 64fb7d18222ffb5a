package e2e

import (
	"io"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestSIGPIPEIsIgnoredByServeAndDemoOnly(t *testing.T) {
	t.Parallel()
	t.Run("demo", func(t *testing.T) {
		t.Parallel()
		r, w := pipe(t)
		base := freePorts(t, 4)
		cmd := exec.Command(binary, "demo", "--base-port", strconv.Itoa(base))
		cmd.Stdout, cmd.Stderr = w, w
		r.Close()
		p := startCommand(t, cmd)
		w.Close()
		eventually(t, "the demo serves", func() bool { return listens(base) && listens(base+3) })
		(&gateway{process: p, t: t, port: base, admin: base + 3}).works()
	})
	for _, args := range [][]string{{"schema"}, {"--help"}, {"serve", "--help"}, {"keygen"}, {"version"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			t.Parallel()
			r, w := pipe(t)
			r.Close()
			cmd := exec.Command(binary, args...)
			cmd.Stdout, cmd.Stderr = w, w
			p := startCommand(t, cmd)
			p.wait()
			if state, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || state.Signal() != syscall.SIGPIPE {
				t.Errorf("%v, not ended by SIGPIPE", cmd.ProcessState)
			}
		})
	}
}

// Stalled probes and scrapes block neither visitors nor the drain.
func TestStalledAdminClientsBlockNoOthers(t *testing.T) {
	t.Parallel()
	g := startLogging(t, nil, "json", "") // the log is discarded
	ask := "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
	for i := range 400 { // more than the listener accepts at a time
		io.WriteString(dial(t, local(g.admin)), []string{"", "GET /metr", ask, strings.Repeat(ask, 4)}[i%4])
	}
	g.works()
}
