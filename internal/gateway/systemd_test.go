package gateway

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/internal/testservice"
)

func TestWatchdogIsNotifiedOnlyByAProcessThatResponds(t *testing.T) {
	t.Parallel()
	answering := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer answering.Close()
	hanging, err := net.Listen("tcp", "127.0.0.1:0") // the kernel accepts for it
	if err != nil {
		t.Fatal(err)
	}
	defer hanging.Close()
	for name, c := range map[string]struct {
		at   net.Addr
		want bool
	}{"answering": {answering.Listener.Addr(), true}, "hanging": {hanging.Addr(), false}} {
		socket := filepath.Join(t.TempDir(), "n")
		manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		s := newSystemd(func(name string) string {
			return map[string]string{"NOTIFY_SOCKET": socket, "WATCHDOG_USEC": "200000"}[name]
		})
		ctx, cancel := context.WithCancel(t.Context())
		results, done := make(chan bool, 100), make(chan struct{})
		alive := livenessOf(c.at)
		go func() {
			defer close(done)
			s.keepAlive(ctx, func(ctx context.Context) bool {
				ok := alive(ctx)
				results <- ok
				return ok
			})
		}()
		for range 2 {
			if got := <-results; got != c.want {
				t.Errorf("%s: alive %v", name, got)
			}
		}
		cancel()
		<-done
		manager.SetReadDeadline(time.Now().Add(time.Millisecond))
		if n, _ := manager.Read(make([]byte, 100)); (n > 0) != c.want {
			t.Errorf("%s: %d bytes reached the manager", name, n)
		}
		manager.Close()
	}
}

// unit reads a systemd unit; a key that occurs twice has two values.
func unit(t *testing.T, path string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	keys, section := map[string][]string{}, ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		key, value, found := strings.Cut(line, "=")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			section = strings.Trim(line, "[]") + "."
		case !found:
			t.Errorf("%s: %q is not an assignment", path, line)
		default:
			keys[section+key] = append(keys[section+key], value)
		}
	}
	return keys
}

func TestSystemdUnitIsCompleteAndSandboxed(t *testing.T) {
	t.Parallel()
	keys := unit(t, "../../deploy/hubgate.service")
	for key, want := range map[string]string{
		"Type": "notify", "NotifyAccess": "main", "ExecReload": "/bin/kill -HUP $MAINPID", "Restart": "always",
		"DynamicUser": "yes", "NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "ProtectSystem": "strict",
		"ProtectHome": "yes", "PrivateTmp": "yes", "PrivateDevices": "yes", "ProtectKernelTunables": "yes",
		"ProtectKernelModules": "yes", "ProtectControlGroups": "yes", "RestrictNamespaces": "yes",
		"LockPersonality": "yes", "MemoryDenyWriteExecute": "yes",
		"RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX", "SystemCallArchitectures": "native",
	} {
		if got := keys["Service."+key]; len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if d := duration(t, keys["Service.WatchdogSec"][0]+"s"); d < 5*time.Second || d > time.Minute {
		t.Errorf("WatchdogSec is %v", d)
	}
	stop := duration(t, keys["Service.TimeoutStopSec"][0]+"s")
	if want := drainOf(config.DefaultServer()) + stopSlack; stop < want {
		t.Errorf("TimeoutStopSec is %v, and a stop takes up to %v", stop, want)
	}
	start := strings.Fields(keys["Service.ExecStart"][0])
	if len(start) != 4 || start[1] != "serve" || start[2] != "--config" {
		t.Errorf("ExecStart is %q", start)
	}
}

func TestSystemdUnitHasALowExposure(t *testing.T) {
	t.Parallel()
	testservice.Need(t, "systemd", "systemd-analyze")
	analyze := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=true", "--threshold=15",
		"../../deploy/hubgate.service")
	out, err := analyze.CombinedOutput()
	if err != nil {
		t.Errorf("its exposure is above 1.5: %v\n%s", err, out)
	}
}

func drainOf(cfg config.ServerConfig) time.Duration { return cfg.DrainDelay.D() + cfg.DrainTimeout.D() }

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	var d setting.Duration
	if err := d.SetWord(text); err != nil {
		t.Fatal(err)
	}
	return d.D()
}

func TestKubernetesManifestAllowsForTheDrain(t *testing.T) {
	t.Parallel()
	file, err := os.Open("../../deploy/kubernetes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	type probe struct {
		PeriodSeconds    int `yaml:"periodSeconds"`
		FailureThreshold int `yaml:"failureThreshold"`
	}
	var found bool
	for documents := yaml.NewDecoder(file); ; {
		var d struct {
			Kind string
			Spec struct {
				Template struct {
					Spec struct {
						Grace      int `yaml:"terminationGracePeriodSeconds"`
						Containers []struct {
							Readiness probe `yaml:"readinessProbe"`
						}
					}
				}
			}
		}
		if documents.Decode(&d) != nil {
			break
		}
		if d.Kind != "Deployment" {
			continue
		}
		found = true
		pod := d.Spec.Template.Spec
		if got, want := time.Duration(pod.Grace)*time.Second, drainOf(config.DefaultServer())+stopSlack; got < want {
			t.Errorf("the pod is killed after %v, and a stop takes up to %v", got, want)
		}
		r := pod.Containers[0].Readiness
		notices := time.Duration(r.PeriodSeconds*r.FailureThreshold) * time.Second
		if delay := config.DefaultServer().DrainDelay.D(); notices == 0 || notices >= delay {
			t.Errorf("Kubernetes notices the drain after %v, and drain_delay is %v", notices, delay)
		}
	}
	if !found {
		t.Error("there is no Deployment")
	}
}

func TestSystemdGetsNoStateAfterStopping(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "n")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	s := newSystemd(func(name string) string { return map[string]string{"NOTIFY_SOCKET": socket}[name] })
	s.stopping(time.Second)
	s.reloading()
	s.ready()
	text := make([]byte, 4096)
	if n, err := manager.Read(text); err != nil || string(text[:n]) != "STOPPING=1\nEXTEND_TIMEOUT_USEC=6000000" {
		t.Errorf("the message is %q, %v", text[:n], err)
	}
	manager.SetReadDeadline(time.Now().Add(time.Millisecond))
	if n, err := manager.Read(text); err == nil {
		t.Errorf("a second message is %q", text[:n])
	}
}

// TestNotifyDoesNotBlock fills the queue of a manager that does not read.
func TestNotifyDoesNotBlock(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "n")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	fill, err := net.Dial("unixgram", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer fill.Close()
	for err == nil {
		fill.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
		_, err = fill.Write([]byte("WATCHDOG=1"))
	}
	s := newSystemd(func(name string) string { return map[string]string{"NOTIFY_SOCKET": socket}[name] })
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.stopping(0)
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("the drain is blocked by the manager")
	}
}
