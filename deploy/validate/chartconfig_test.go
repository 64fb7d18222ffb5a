package validate

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"helm.sh/helm/v3/pkg/chartutil"
)

// configuration returns the file hubgate.yaml that an installation has.
func (m *manifests) configuration(t *testing.T) string {
	t.Helper()
	for _, c := range m.configMaps {
		if text, found := c.Data["hubgate.yaml"]; found {
			return text
		}
	}
	t.Fatal("no ConfigMap has hubgate.yaml")
	return ""
}

// buildHubgate builds the binary of this repository, which alone knows what a valid configuration is.
func buildHubgate(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "hubgate")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/hubgate")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// writeSecrets writes the files of Secrets that check requires even without secrets: a certificate.
func writeSecrets(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	file := filepath.Join(folder, "www-example-com", "tls.crt")
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestChartConfigurationIsValid(t *testing.T) {
	t.Parallel()
	binary, secrets := buildHubgate(t), writeSecrets(t)
	check := func(t *testing.T, text, podIP string) (string, error) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "hubgate.yaml")
		text = strings.ReplaceAll(text, "/run/secrets/", secrets+"/")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), binary, "check", "--no-secrets", "--config", file)
		cmd.Env = []string{"POD_IP=" + podIP, "COGNITO_CLIENT_ID=client"}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	eachValuesFile(t, func(t *testing.T, values chartutil.Values) {
		in := install(t, values)
		for _, podIP := range []string{"10.1.2.3", "fd00:10:244::a"} {
			if out, err := check(t, in.configuration(t), podIP); err != nil {
				t.Errorf("with the address %s: %v\n%s", podIP, err, out)
			}
		}
	})
	wrong := strings.Replace(install(t, minimal(t, "")).configuration(t), "https://www.", "http://www.", 1)
	if out, err := check(t, wrong, "10.1.2.3"); err == nil || !strings.Contains(out, "public_urls") {
		t.Errorf("check accepts a wrong configuration: %s", out)
	}
}

// Helm parses numbers as float64 in some places, which would write a list id as 1.23456789012e+11.
func TestChartKeepsNumbersAndText(t *testing.T) {
	t.Parallel()
	in := install(t, minimal(t, `config: {hubspot: {hub_id: 12345678, access: {lists: {customers: 123456789012}}},
  auth: {authorize_params: {lang: "no", max: "0123"}}}`))
	text := in.configuration(t)
	for _, want := range []string{
		"hub_id: 12345678\n", "customers: 123456789012\n", `lang: "no"`, `max: "0123"`, "'[${POD_IP}]:9090'", "version: 1\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

func (m *manifests) restartKeys() string {
	return m.deployments[0].Spec.Template.Annotations["checksum/restart-keys"]
}

// restartChanges has a change of every key that needs a restart, in the order of docs/configuration.md.
var restartChanges = map[string]string{
	"server.listen":       `server: {listen: ":8081"}`,
	"admin_listen":        `server: {admin_listen: ":9091"}`,
	"tls.http_listen":     `server: {tls: {http_listen: ":8082"}}`,
	"tls.mode":            `server: {tls: {mode: files}}`,
	"tls.acme":            `server: {tls: {acme: {email: a@example.com}}}`,
	"limits":              `server: {limits: {connections: 5}}`,
	"pprof":               `server: {pprof: true}`,
	"session.redis":       `session: {redis: {urls: [redis://other:6379/0]}}`,
	"session.cookie_name": `session: {cookie_name: __Host-a}`,
	"auth.prefix":         `auth: {prefix: /login}`,
	"log.format":          `log: {format: text}`,
	"tracing":             `tracing: {sample: 0.5}`,
}

// reloadChanges has the exceptions, and some of all the other keys.
var reloadChanges = map[string]string{
	"connections_per_address": `server: {limits: {connections_per_address: 5}}`,
	"username":                `session: {redis: {username: hubgate}}`,
	"password":                `session: {redis: {password: "${REDIS_PASSWORD}"}}`,
	"proxy.default":           `proxy: {default: login}`,
	"session.keys":            `session: {keys: ["${NEW}", "${OLD}"]}`,
	"log.level":               `log: {level: debug}`,
}

func TestChartReplacesPodsOnlyForKeysThatNeedARestart(t *testing.T) {
	t.Parallel()
	before := install(t, minimal(t, "")).restartKeys()
	after := func(change string) string { return install(t, minimal(t, "config: {"+change+"}")).restartKeys() }
	for key, change := range restartChanges {
		if after(change) == before {
			t.Errorf("a change of %s does not replace the pods", key)
		}
	}
	for key, change := range reloadChanges {
		if after(change) != before {
			t.Errorf("a change of %s replaces the pods", key)
		}
	}
	one := after(`session: {redis: {mode: sentinel, sentinel_password: "${A}"}}`)
	if after(`session: {redis: {mode: sentinel, sentinel_password: "${B}"}}`) != one {
		t.Error("a changed sentinel_password replaces the pods")
	}
	if after(`session: {redis: {mode: sentinel}}`) == one {
		t.Error("a new sentinel_password does not replace the pods")
	}
}

// The list above must be the one of the documentation, which hubgate's own tests keep correct.
func TestChartKnowsTheKeysThatNeedARestart(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), "These keys need a restart:")
	paragraph, _, _ := strings.Cut(after, ". If one of them")
	if !found {
		t.Fatal("docs/configuration.md does not list the keys that need a restart")
	}
	for _, key := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(paragraph, -1) {
		_, restarts := restartChanges[key[1]]
		_, reloads := reloadChanges[key[1]]
		if !restarts && !reloads && key[1] != "sentinel_password" {
			t.Errorf("this test has no change of %s: add it here and to hubgate.restartKeys", key[1])
		}
	}
}

func TestChartAllowsForTheDrain(t *testing.T) {
	t.Parallel()
	for server, want := range map[string]time.Duration{
		"":                                       45 * time.Second,
		"drain_delay: 15s, drain_timeout: 1m30s": 115 * time.Second,
		"drain_delay: 1500ms, drain_timeout: 1.5m": 102 * time.Second,
		"drain_delay: 0s, drain_timeout: 1h":       3610 * time.Second,
		"drain_delay: 1d":                          24*time.Hour + 40*time.Second,
	} {
		pod := install(t, minimal(t, "config: {server: {"+server+"}}")).deployments[0].Spec.Template.Spec
		if got := time.Duration(*pod.TerminationGracePeriodSeconds) * time.Second; got != want {
			t.Errorf("with {%s} the pod is killed after %v, want %v", server, got, want)
		}
		probe := pod.Containers[0].ReadinessProbe
		if probe.PeriodSeconds*probe.FailureThreshold >= 5 {
			t.Error("Kubernetes notices the drain after the default drain_delay, 5s")
		}
	}
	set := install(t, minimal(t, "{terminationGracePeriodSeconds: 99}"))
	if got := *set.deployments[0].Spec.Template.Spec.TerminationGracePeriodSeconds; got != 99 {
		t.Error("the value is ignored: " + strconv.FormatInt(got, 10))
	}
}

func TestChartPublishesTheHostsOfTheConfiguration(t *testing.T) {
	t.Parallel()
	in := install(t, minimal(t, `{ingress: {enabled: true, tls: [{secretName: a}]},
  httpRoute: {enabled: true, parentRefs: [{name: public}]},
  config: {server: {public_urls: ["https://www.example.com:8443", "https://shop.example.com"],
    redirect_from: {www.example.com: [example.com]}}}}`))
	want := []string{"www.example.com", "shop.example.com", "example.com"}
	var rules, names []string
	for _, rule := range in.ingresses[0].Spec.Rules {
		rules = append(rules, rule.Host)
	}
	for _, name := range in.routes[0].Spec.Hostnames {
		names = append(names, string(name))
	}
	for _, got := range [][]string{rules, names, in.ingresses[0].Spec.TLS[0].Hosts} {
		if !slices.Equal(got, want) {
			t.Errorf("hosts %v, want %v", got, want)
		}
	}
}
