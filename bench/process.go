package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// testbed is a folder and the processes of a measurement.
type testbed struct {
	ctx     context.Context
	folder  string
	hubgate string // path of the binary
	running []*process
}

// newTestbed builds hubgate. close stops the processes and removes the folder.
func newTestbed(ctx context.Context) (*testbed, error) {
	folder, err := os.MkdirTemp("", "hubgate-bench-")
	if err != nil {
		return nil, err
	}
	t := &testbed{ctx: ctx, folder: folder, hubgate: filepath.Join(folder, "hubgate")}
	build := exec.CommandContext(ctx, "go", "build", "-o", t.hubgate, "github.com/hubgate/hubgate/cmd/hubgate")
	if out, err := build.CombinedOutput(); err != nil {
		t.close()
		return nil, fmt.Errorf("build hubgate: %w\n%s", err, out)
	}
	return t, nil
}

func (t *testbed) close() {
	for _, p := range t.running {
		p.cmd.Process.Kill()
		p.cmd.Wait()
	}
	os.RemoveAll(t.folder)
}

// process is a running program.
type process struct {
	cmd *exec.Cmd
	log string // file with its output
}

func (t *testbed) start(name, program string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(program, args...), log: filepath.Join(t.folder, name+".log")}
	out, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p.cmd.Stdout, p.cmd.Stderr = out, out
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	t.running = append(t.running, p)
	return p, nil
}

// startSelf starts this program with another command, listening on a free port.
func (t *testbed) startSelf(name string, args ...string) (*process, string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	addr, err := freeAddress()
	if err != nil {
		return nil, "", err
	}
	p, err := t.start(name, self, append([]string{name, addr}, args...)...)
	if err != nil {
		return nil, "", err
	}
	return p, addr, p.waitListening(t.ctx, addr)
}

// redis starts a Redis without persistence.
func (t *testbed) redis() (*process, string, error) {
	addr, err := freeAddress()
	if err != nil {
		return nil, "", err
	}
	_, port, _ := net.SplitHostPort(addr)
	p, err := t.start("redis-"+port, "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir",
		t.folder)
	if err != nil {
		return nil, "", err
	}
	return p, addr, p.waitListening(t.ctx, addr)
}

// waitListening waits until the process accepts connections.
func (p *process) waitListening(ctx context.Context, addr string) error {
	limit := time.After(30 * time.Second)
	for {
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-limit:
			return fmt.Errorf("%s is not listening on %s:\n%s", filepath.Base(p.cmd.Path), addr, p.output())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// output returns the end of the process's output.
func (p *process) output() []byte {
	log, _ := os.ReadFile(p.log)
	return bytes.TrimSpace(log[max(0, len(log)-4096):])
}

// cpu returns the CPU time that the process has used, user and system.
func (p *process) cpu() (time.Duration, error) {
	const scheduled = 2 // CPUCLOCK_SCHED of the process, as in clock_getcpuclockid(3)
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^p.cmd.Process.Pid<<3|scheduled), &t); err != nil {
		return 0, fmt.Errorf("processor time of %s: %w", filepath.Base(p.cmd.Path), err)
	}
	return time.Duration(t.Nano()), nil
}

// freeAddress returns a free loopback address.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// save writes a file into the folder and returns its path.
func (t *testbed) save(name, text string) (string, error) {
	path := filepath.Join(t.folder, name)
	return path, os.WriteFile(path, []byte(text), 0o600)
}

// metric returns one sample of a gateway's metrics.
func metric(ctx context.Context, admin, name string) (float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+admin+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(res.Body); err != nil {
		return 0, err
	}
	for line := range strings.SplitSeq(body.String(), "\n") {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, fmt.Errorf("unknown metric %s", name)
}
