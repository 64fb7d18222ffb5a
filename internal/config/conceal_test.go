package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/config"
)

// leaks are lines of a configuration whose mistakes are told without the secret in them, by the line of a good file.
var leaks = map[string][]string{
	"    - ${KEY}": {"    - Zm9v.canary7"},
	"  keys:\n    - ${KEY}": {
		"  keys: Y2FuYXJ5canary7Zm9vYmFyY2FuYXJ5Y2FuYXJ5Y2E=", "  keys: {a: Zm9vcanary7}", "  keys: !canary7 x",
		"  keys:\n    - ${KEY}\n  redis: {urls: \"redis://:canary7@redis\"}",
		"  keys:\n    - ${KEY}\n  redis: {urls: \"redis://:a,b canary7@redis:6379\"}",
		"  keys:\n    - ${KEY}\n  redis: {urls: [\"u:canary7@redis:6379\"]}",
	},
	"  client_secret: ${SECRET}": {
		"  client_secret: *canary7", "  client_secret: !canary7 x", "  client_secret: ${my-canary7}",
		"  client_secret: my-canary7\n  prefix: my-canary7", "  client_secret: ${FILED_SECRET}\n  prefix: ${FILED_SECRET}",
		"  client_secret: ${SECRET}\n  logout: ${FILED_SECRET}",
	},
	"  access_token: ${TOKEN}": {
		"  access_token: ${TOKEN}\n  hub_id: pat-eu1-11111111-2222-3333-4444-canary7",
		"  access_token: ${TOKEN}\n  api_url: u:canary7@api.example.com",
	},
	"  public_urls: [https://www.example.com]": {
		"  public_urls: [\"u:canary7@www.example.com\"]", "  public_urls: \"https://u:canary7@www.example.com\"",
		"  public_urls: [https://www.example.com]\n  listen: u:canary7@:80",
	},
	"proxy:": {
		"pages: {logo: \"https://u:canary7@www.example.com/logo.png\"}\nproxy:",
		"pages: {support: \"https://u:canary7@www.example.com\"}\nproxy:",
		"tracing: {endpoint: \"u:canary7@collector:4318\"}\nproxy:",
	},
}

func TestLoadConcealsSecrets(t *testing.T) {
	t.Parallel()
	good, err := os.ReadFile("testdata/config/good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	getenv := func(name string) string {
		return map[string]string{
			"SECRET": "s3cret-of-the-client", "TOKEN": "token-of-hubspot", "FILED_SECRET": "prefix-canary7",
			"KEY": "q83vEjRWeJq83vEjRWeJq83vEjRWeJq83vEjRWeJq80=",
		}[name]
	}
	path := filepath.Join(t.TempDir(), "hubgate.yaml")
	for line, mistakes := range leaks {
		for _, mistake := range mistakes {
			text := strings.Replace(string(good), line+"\n", mistake+"\n", 1)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, rep := config.Load(path, getenv)
			told := strings.Join(rep.Lines(), "\n")
			if text == string(good) || !rep.Failed() || strings.Contains(told, "canary7") {
				t.Errorf("%s\n%s", mistake, told)
			}
		}
	}
}

func TestLinesAreSingleLines(t *testing.T) {
	t.Parallel()
	good, err := os.ReadFile("testdata/config/good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "hubgate.yaml")
	text := strings.Replace(string(good), "    - path: /members/**", "    - path: /members/**\n      access: \"a\\nb\"", 1)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, rep := config.Load(path, func(string) string { return "" })
	told := strings.Join(rep.Lines(), "\n")
	if !strings.Contains(told, `a\u000ab`) || strings.Contains(told, "a\nb") {
		t.Error(told)
	}
}
