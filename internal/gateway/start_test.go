package gateway_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/cli"
	"github.com/hubgate/hubgate/internal/command"
	"github.com/hubgate/hubgate/internal/seal"
)

// startConfig is a configuration, in which its listeners and its TLS are missing.
const startConfig = `version: 1
server:
  public_urls: ["https://localhost:8080"]
  trusted_proxies: [none]
  listen: %q
  admin_listen: %q
  tls: %s
proxy: {origin: "http://127.0.0.1:9", default: public}
auth: {user_pool: eu-west-1_AbCdEf123, client_id: client, client_secret: "${SECRET}"}
session: {keys: ["${KEY}"], redis: {mode: embedded}}
`

func TestStartErrorsAreExplained(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "no.pem"), []byte("not a certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	tls := `{mode: files, cert_file: %s, key_file: %s}`
	for name, c := range map[string]struct {
		listen, admin, tls string
		status             int
		stderr             []string
	}{
		"a busy port": {busy.Addr().String(), "127.0.0.1:0", "{mode: none}", 1,
			[]string{"hubgate: server.listen: ", "address already in use"}},
		"a busy admin port": {"127.0.0.1:0", busy.Addr().String(), "{mode: none}", 1,
			[]string{"hubgate: server.admin_listen: ", "address already in use"}},
		"an address of another machine": {"192.0.2.1:0", "127.0.0.1:0", "{mode: none}", 1,
			[]string{"hubgate: server.listen: ", "cannot assign requested address"}},
		"a missing certificate": {"127.0.0.1:0", "127.0.0.1:0", fmt.Sprintf(tls, "nowhere.pem", "nowhere.key"), 2,
			[]string{"hubgate.yaml:7:22: error: server.tls.cert_file: the file cannot be read: ",
				"nowhere.pem: no such file or directory; create the file"}},
		"an invalid certificate": {"127.0.0.1:0", "127.0.0.1:0", fmt.Sprintf(tls, "no.pem", "no.pem"), 2,
			[]string{"error: server.tls.cert_file: ", "failed to find any PEM data", "write a PEM file"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(folder, "hubgate.yaml")
			text := fmt.Sprintf(startConfig, c.listen, c.admin, c.tls)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			env := map[string]string{"SECRET": "s3cret", "KEY": seal.NewKey()}
			commands := []string{"serve"}
			if c.status == command.ExitUsage {
				commands = append(commands, "check") // it has the same requirements
			}
			for _, name := range commands {
				var out, stderr bytes.Buffer
				getenv := func(name string) string { return env[name] }
				status := cli.Run(t.Context(), []string{name, "--config", path}, getenv, &out, &stderr)
				if status != c.status {
					t.Errorf("%s: exit status %d, want %d", name, status, c.status)
				}
				for _, want := range c.stderr {
					if !strings.Contains(stderr.String(), want) {
						t.Errorf("%s does not print %q:\n%s", name, want, stderr.String())
					}
				}
			}
		})
	}
}

func TestMissingConfigurationIsExplained(t *testing.T) {
	t.Parallel()
	var out, stderr bytes.Buffer
	missing := []string{"serve", "--config", filepath.Join(t.TempDir(), "nothing.yaml")}
	status := cli.Run(t.Context(), missing, os.Getenv, &out, &stderr)
	want := "nothing.yaml:1:1: error: the file cannot be read: "
	if status != command.ExitUsage || !strings.Contains(stderr.String(), want) {
		t.Errorf("no configuration: exit status %d, %s", status, stderr.String())
	}
}
