package validate

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// containerConfig is a configuration without secrets of its own. Nothing listens at the addresses that it refers to.
const containerConfig = `version: 1
server:
  public_urls: [http://localhost:%[1]d]
  listen: 127.0.0.1:%[1]d
  admin_listen: 127.0.0.1:%[2]d
  drain_delay: 0s
proxy:
  origin: http://127.0.0.1:1
  default: public
  rules: [{path: /members/**}]
auth:
  issuer: http://127.0.0.1:1
  client_id: client
  client_secret: ${CLIENT_SECRET}
session:
  keys: ["${HUBGATE_KEY}"]
  redis: {urls: [redis://127.0.0.1:1/0]}
`

// extract writes the files of the image into a folder.
func extract(t *testing.T, files map[string]imageFile) string {
	t.Helper()
	root := t.TempDir()
	for name, f := range files {
		path := filepath.Join(root, name)
		if f.header.FileInfo().IsDir() {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.content, f.header.FileInfo().Mode()); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// testImageVersion checks that the binary says what the labels of the image say.
func testImageVersion(t *testing.T, files map[string]imageFile) {
	t.Helper()
	checkVersion(t, filepath.Join(extract(t, files), "hubgate"), release, false)
}

// checkVersion checks what a binary prints about itself.
func checkVersion(t *testing.T, binary, version string, dirty bool) {
	t.Helper()
	var got struct {
		Version   string
		Revision  string
		Dirty     bool
		GoVersion string `json:"go_version"`
	}
	if err := json.Unmarshal([]byte(run(t, ".", binary, "version", "--output", "json")), &got); err != nil {
		t.Fatal(err)
	}
	goVersion := strings.TrimSpace(run(t, ".", "go", "env", "GOVERSION"))
	if got.Version != version || got.Dirty != dirty || got.GoVersion != goVersion {
		t.Errorf("got %+v, want version %s, dirty %v, %s", got, version, dirty, goVersion)
	}
	text := run(t, ".", binary, "version")
	if want := fmt.Sprintf("hubgate %s (revision %s", version, got.Revision); !strings.HasPrefix(text, want) ||
		strings.Contains(text, "local changes") != dirty || !strings.Contains(text, goVersion) {
		t.Errorf("got %q, want %q", text, want)
	}
}

// testReadOnlyContainer serves as container runtimes do: with the files of the image as a read-only root, as the user
// of the image, with a mounted configuration. The health check runs without the secrets.
func testReadOnlyContainer(t *testing.T, files map[string]imageFile) {
	t.Helper()
	if err := exec.Command("unshare", "--mount", "true").Run(); err != nil {
		if slices.Contains(strings.Split(os.Getenv("HUBGATE_TEST_SERVICES"), ","), "unshare") {
			t.Fatal("HUBGATE_TEST_SERVICES contains unshare, which fails: ", err)
		}
		t.Log("not run in a container: unshare needs root")
		return
	}
	root := extract(t, files)
	if err := os.MkdirAll(filepath.Join(root, "etc/hubgate"), 0o755); err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf(containerConfig, freePort(t), freePort(t))
	if err := os.WriteFile(filepath.Join(root, "etc/hubgate/hubgate.yaml"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	// t.TempDir is for this user only; the server is another one
	for dir := root; dir != filepath.Clean(os.TempDir()); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	serve := inContainer(root, "serve")
	serve.Env = append(serve.Env, "CLIENT_SECRET=secret", "HUBGATE_KEY=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
	var log strings.Builder
	serve.Stderr = &log
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	healthy := waitHealthy(t, root)
	if err := serve.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if err := serve.Wait(); err != nil || !healthy {
		t.Errorf("healthy: %v, exit status: %v\n%s", healthy, err, log.String())
	}
}

// waitHealthy asks the health check until it passes, for a minute.
func waitHealthy(t *testing.T, root string) bool {
	t.Helper()
	deadline, tick := time.After(time.Minute), time.NewTicker(100*time.Millisecond)
	defer tick.Stop()
	for {
		out, err := inContainer(root, "healthcheck").Output()
		if err == nil {
			return string(out) == "ok\n"
		}
		select {
		case <-deadline:
			t.Logf("health check: %s %v", out, err)
			return false
		case <-tick.C:
		}
	}
}

// inContainer returns the command that runs hubgate in root, read-only, as the user of the image.
func inContainer(root, subcommand string) *exec.Cmd {
	const script = `mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" &&
exec chroot --userspec=65532:65532 "$1" /hubgate "$2"`
	cmd := exec.Command("unshare", "--mount", "sh", "-c", script, "sh", root, subcommand)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HUBGATE_CONFIG=/etc/hubgate/hubgate.yaml"}
	return cmd
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}
