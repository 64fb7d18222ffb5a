package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a program that runs beside the test.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	out  *transcript
	done chan struct{}
}

// start runs a program until the test ends, and records what it prints.
func start(t *testing.T, name string, args ...string) *process {
	t.Helper()
	cmd, out := exec.Command(name, args...), newTranscript()
	cmd.Stdout, cmd.Stderr = out, out
	p := startCommand(t, cmd)
	p.out = out
	return p
}

// startCommand runs a command until the test ends.
func startCommand(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, out: newTranscript(), done: make(chan struct{})}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("output of %s:\n%s", filepath.Base(cmd.Path), p.out)
		}
	})
	return p
}

// waitFor waits until the program has printed a text.
func (p *process) waitFor(text string) {
	p.t.Helper()
	limit := time.After(60 * time.Second)
	for !strings.Contains(p.out.String(), text) {
		select {
		case <-p.out.changed:
		case <-p.done:
			if !strings.Contains(p.out.String(), text) {
				p.t.Fatalf("%s exited before it printed %q:\n%s", p.cmd.Path, text, p.out)
			}
		case <-limit:
			p.t.Fatalf("timeout: %s did not print %q:\n%s", p.cmd.Path, text, p.out)
		}
	}
}

// running reports whether the program has not exited.
func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

func (p *process) signal(s syscall.Signal) { p.cmd.Process.Signal(s) }

// terminate sends SIGTERM and returns the exit status.
func (p *process) terminate() int {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	return p.wait()
}

// kill ends the program as a crash does.
func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.done
}

// wait waits until the program exits and returns its exit status.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(60 * time.Second):
		p.t.Fatalf("timeout: %s does not exit", p.cmd.Path)
	}
	return p.cmd.ProcessState.ExitCode()
}

// residentBytes returns the size of the memory that the process holds.
func (p *process) residentBytes() int {
	p.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "\nVmRSS:")
	size, _, _ := strings.Cut(strings.TrimSpace(after), " ")
	kib, err := strconv.Atoi(size)
	if err != nil {
		p.t.Fatalf("no VmRSS in the status of the process: %v", err)
	}
	return kib << 10
}

// transcript records what a program prints.
type transcript struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

func newTranscript() *transcript { return &transcript{changed: make(chan struct{}, 1)} }

func (tr *transcript) Write(p []byte) (int, error) {
	tr.mu.Lock()
	tr.text.Write(p)
	tr.mu.Unlock()
	select {
	case tr.changed <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (tr *transcript) String() string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.text.String()
}

// contains reports whether a text was printed.
func (tr *transcript) contains(text string) bool { return strings.Contains(tr.String(), text) }

// count returns how often a text was printed.
func (tr *transcript) count(text string) int { return strings.Count(tr.String(), text) }
