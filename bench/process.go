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

// stage is where a measurement takes place: a folder and the processes in it.
type stage struct {
	ctx     context.Context
	folder  string
	hubgate string // the binary that was built
	running []*process
}

// newStage builds hubgate. close ends what was started.
func newStage(ctx context.Context) (*stage, error) {
	folder, err := os.MkdirTemp("", "hubgate-bench-")
	if err != nil {
		return nil, err
	}
	s := &stage{ctx: ctx, folder: folder, hubgate: filepath.Join(folder, "hubgate")}
	build := exec.CommandContext(ctx, "go", "build", "-o", s.hubgate, "github.com/hubgate/hubgate/cmd/hubgate")
	if out, err := build.CombinedOutput(); err != nil {
		s.close()
		return nil, fmt.Errorf("build hubgate: %w\n%s", err, out)
	}
	return s, nil
}

func (s *stage) close() {
	for _, p := range s.running {
		p.cmd.Process.Kill()
		p.cmd.Wait()
	}
	os.RemoveAll(s.folder)
}

// process is a program that runs beside the measurement.
type process struct {
	cmd *exec.Cmd
	log string // file of what it prints
}

func (s *stage) start(name, program string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(program, args...), log: filepath.Join(s.folder, name+".log")}
	out, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p.cmd.Stdout, p.cmd.Stderr = out, out
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	s.running = append(s.running, p)
	return p, nil
}

// role starts this program as another of its commands, listening on a port of its own.
func (s *stage) role(name string, args ...string) (*process, string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	addr, err := freeAddress()
	if err != nil {
		return nil, "", err
	}
	p, err := s.start(name, self, append([]string{name, addr}, args...)...)
	if err != nil {
		return nil, "", err
	}
	return p, addr, p.listens(s.ctx, addr)
}

// redis starts a Redis that keeps everything in memory.
func (s *stage) redis() (*process, string, error) {
	addr, err := freeAddress()
	if err != nil {
		return nil, "", err
	}
	_, port, _ := net.SplitHostPort(addr)
	p, err := s.start("redis-"+port, "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", s.folder)
	if err != nil {
		return nil, "", err
	}
	return p, addr, p.listens(s.ctx, addr)
}

// listens waits until the process takes connections.
func (p *process) listens(ctx context.Context, addr string) error {
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
			return fmt.Errorf("%s does not listen on %s:\n%s", filepath.Base(p.cmd.Path), addr, p.said())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// said is the end of what it printed.
func (p *process) said() []byte {
	said, _ := os.ReadFile(p.log)
	return bytes.TrimSpace(said[max(0, len(said)-4096):])
}

// cpu is the processor time that the process has used, user and system together, in nanoseconds.
func (p *process) cpu() (time.Duration, error) {
	const scheduled = 2 // CPUCLOCK_SCHED of the whole process, as clock_getcpuclockid(3) makes it
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^p.cmd.Process.Pid<<3|scheduled), &t); err != nil {
		return 0, fmt.Errorf("processor time of %s: %w", filepath.Base(p.cmd.Path), err)
	}
	return time.Duration(t.Nano()), nil
}

// freeAddress is a loopback address that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// save writes a file into the stage's folder.
func (s *stage) save(name, text string) (string, error) {
	path := filepath.Join(s.folder, name)
	return path, os.WriteFile(path, []byte(text), 0o600)
}

// metric reads one sample of a gateway's metrics.
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
	return 0, fmt.Errorf("there is no metric %s", name)
}
