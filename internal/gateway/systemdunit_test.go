package gateway

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/testservice"
)

// TestSystemdUnitIsUnderstood runs systemd's own check, which reports unknown keys and values that it would ignore.
func TestSystemdUnitIsUnderstood(t *testing.T) {
	t.Parallel()
	testservice.Need(t, "systemd", "systemd-analyze")
	const binary = "/usr/local/bin/hubgate"
	text, err := os.ReadFile("../../deploy/hubgate.service")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), binary) {
		t.Fatalf("the unit does not start %s", binary)
	}
	file := filepath.Join(t.TempDir(), "hubgate.service")
	installed := strings.ReplaceAll(string(text), binary, "/bin/true") // the check needs a program that exists
	if err := os.WriteFile(file, []byte(installed), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", "--man=no", file).CombinedOutput()
	if err != nil || strings.Contains(string(out), "hubgate.service:") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestSystemdUnitLoadsEachSecretAsRoot holds that no secret is in the environment, which child processes inherit and
// systemctl show prints.
func TestSystemdUnitLoadsEachSecretAsRoot(t *testing.T) {
	t.Parallel()
	keys := unit(t, "../../deploy/hubgate.service")
	loaded := map[string]bool{}
	for _, credential := range keys["Service.LoadCredential"] {
		name, path, _ := strings.Cut(credential, ":")
		if loaded[name] = true; path != "/etc/hubgate/secrets/"+name {
			t.Errorf("the secret %s is read from %q", name, path)
		}
	}
	for _, name := range []string{"session_key", "admin_token", "client_secret", "hubspot_token"} {
		if !loaded[name] {
			t.Errorf("the secret %s is not loaded", name)
		}
	}
	if in := append(keys["Service.EnvironmentFile"], keys["Service.Environment"]...); len(in) > 0 {
		t.Errorf("the environment is set from %q", in)
	}
}
