package e2e

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheTagNotraceLeavesOpenTelemetryOut(t *testing.T) {
	t.Parallel()
	bare := filepath.Join(t.TempDir(), "hubgate")
	if out, err := exec.Command("go", "build", "-tags", "notrace", "-o", bare, "../cmd/hubgate").CombinedOutput(); err != nil {
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
		t.Error("the ordinary binary has no OpenTelemetry: this test tests nothing")
	}
	for _, module := range []string{"opentelemetry", "google.golang.org/grpc", "grpc-gateway"} {
		if strings.Contains(modules(bare), module) {
			t.Errorf("with the tag, the binary still holds %s", module)
		}
	}
	text := strings.Replace(tinyConfig, "ENDPOINT", "http://127.0.0.1:4318", 1)
	out, err := exec.Command(bare, "check", "--config", write(t, "hubgate.yaml", text)).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "error: tracing.endpoint: this binary was built without tracing") {
		t.Errorf("check says %v\n%s", err, out)
	}
}

const tinyConfig = `version: 1
server: {public_urls: ["http://localhost:8080"]}
proxy: {origin: "http://127.0.0.1:9", default: public}
auth: {user_pool: eu-west-1_AbCdEf123, client_id: a, client_secret: "${NAME:-s}"}
session: {keys: ["` + sealKey + `"], redis: {mode: embedded}}
tracing: {endpoint: "ENDPOINT"}
`
