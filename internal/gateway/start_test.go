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
	"github.com/hubgate/hubgate/internal/seal"
)

func TestWhatKeepsTheGatewayFromStartingIsToldInWords(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	folder := t.TempDir()
	for name, text := range map[string]string{"no.pem": "this is no certificate"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tls := `{mode: files, cert_file: %s, key_file: %s}`
	for name, c := range map[string]struct {
		listen, Server, tls string
		status              int
		says                []string
	}{
		"a busy port":                {busy.Addr().String(), "127.0.0.1:0", "{mode: none}", 1, []string{"hubgate: server.listen: ", "address already in use"}},
		"a busy port of the admin's": {"127.0.0.1:0", busy.Addr().String(), "{mode: none}", 1, []string{"hubgate: server.admin_listen: ", "address already in use"}},
		"an address of another machine": {"192.0.2.1:0", "127.0.0.1:0", "{mode: none}", 1,
			[]string{"hubgate: server.listen: ", "cannot assign requested address"}},
		"a certificate that is not there": {"127.0.0.1:0", "127.0.0.1:0", fmt.Sprintf(tls, "nowhere.pem", "nowhere.key"), 2,
			[]string{"hubgate.yaml:7:22: error: server.tls.cert_file: the file cannot be read: ", "nowhere.pem: no such file or directory; create the file"}},
		"a certificate that is none": {"127.0.0.1:0", "127.0.0.1:0", fmt.Sprintf(tls, "no.pem", "no.pem"), 2,
			[]string{"error: server.tls.cert_file: ", "failed to find any PEM data", "write a PEM file"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(folder, "hubgate.yaml")
			text := fmt.Sprintf(`version: 1
server:
  public_urls: ["https://localhost:8080"]
  trusted_proxies: [none]
  listen: %q
  admin_listen: %q
  tls: %s
proxy: {origin: "http://127.0.0.1:9", default: public}
auth: {user_pool: eu-west-1_AbCdEf123, client_id: client, client_secret: "${SECRET}"}
session: {keys: ["${KEY}"], redis: {mode: embedded}}
`, c.listen, c.Server, c.tls)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			env := map[string]string{"SECRET": "s3cret", "KEY": seal.NewKey()}
			commands := []string{"serve"}
			if c.status == cli.ExitUsage {
				commands = append(commands, "check") // it demands whatever serve demands
			}
			for _, command := range commands {
				var out, said bytes.Buffer
				status := cli.Run(t.Context(), []string{command, "--config", path}, func(name string) string { return env[name] }, &out, &said)
				if status != c.status {
					t.Errorf("%s: exit status %d, want %d", command, status, c.status)
				}
				for _, want := range c.says {
					if !strings.Contains(said.String(), want) {
						t.Errorf("%s does not say %q:\n%s", command, want, said.String())
					}
				}
			}
		})
	}
	var out, said bytes.Buffer
	status := cli.Run(t.Context(), []string{"serve", "--config", filepath.Join(folder, "nothing.yaml")}, os.Getenv, &out, &said)
	if status != cli.ExitUsage || !strings.Contains(said.String(), "nothing.yaml:1:1: error: the file cannot be read: ") {
		t.Errorf("no configuration: exit status %d, %s", status, said.String())
	}
}
