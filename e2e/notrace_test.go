package e2e

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestNotraceBuildOmitsOpenTelemetry(t *testing.T) {
	t.Parallel()
	bare := filepath.Join(t.TempDir(), "hubgate")
	build := exec.Command("go", "build", "-tags", "notrace", "-o", bare, "../cmd/hubgate")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	modules := func(path string) string {
		out, err := exec.Command("go", "version", "-m", path).Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	if !strings.Contains(modules(binary), "go.opentelemetry.io/otel") {
		t.Error("the ordinary binary has no OpenTelemetry, so this test would always pass")
	}
	for _, module := range []string{"opentelemetry", "google.golang.org/grpc", "grpc-gateway"} {
		if strings.Contains(modules(bare), module) {
			t.Errorf("the binary contains %s", module)
		}
	}
	s := newSite(t, options{bare: true, config: config{"tracing.endpoint": "http://127.0.0.1:4318"}})
	out, err := exec.Command(bare, "check", "--config", s.newGateway().file).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "error: tracing.endpoint: this binary was built without tracing") {
		t.Errorf("check: %v\n%s", err, out)
	}
}
