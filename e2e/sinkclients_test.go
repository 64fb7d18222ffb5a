package e2e

import (
	"io"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestOnlyServeAndDemoIgnoreSIGPIPE(t *testing.T) {
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
		observed{p, base, base + 3}.lives()
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
				t.Errorf("it ends with %v, not by SIGPIPE", cmd.ProcessState)
			}
		})
	}
}

// Probes and scrapes that hang hold up neither visitors nor the drain.
func TestAdminClientsThatHangStopNobody(t *testing.T) {
	t.Parallel()
	o := startObserved(t, nil, "json", "") // a log that is thrown away
	ask := "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
	for i := range 400 { // more than are held at a time
		conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(o.admin))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		io.WriteString(conn, []string{"", "GET /metr", ask, strings.Repeat(ask, 4)}[i%4])
	}
	o.lives()
}
