package e2e

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// foreignYAML lists the YAML blocks that belong to other programs, by document and first line.
var foreignYAML = map[string]string{
	"docs/install.md SiteClient:": "CloudFormation",
	// deploy/validate renders the chart with them.
	"docs/kubernetes.md image: {tag: 1.2.3}    # only for a chart that is not from a release": "values of the chart",
	"docs/kubernetes.md ingress:":       "values of the chart",
	"docs/kubernetes.md networkPolicy:": "values of the chart",
	"docs/kubernetes.md serviceMonitor: {enabled: true, labels: {release: kube-prometheus-stack}}": "values of the chart",
}

// secrets are the values of the variables that the documents use.
var secrets = []string{
	"HUBGATE_KEY=" + sealKey, "COGNITO_CLIENT_SECRET=a-client-secret", "HUBSPOT_TOKEN=a-token",
	"REDIS_PASSWORD=a-password", "ADMIN_TOKEN=an-admin-token-of-some-length-0123456789",
}

// smallestConfiguration is the configuration that the README begins with.
func smallestConfiguration(t *testing.T) string {
	t.Helper()
	found, _ := blocks(t, "README.md")
	for _, b := range found {
		if b.language == "yaml" && strings.HasPrefix(b.text, "version: 1\n") {
			return b.text
		}
	}
	t.Fatal("the README has no complete configuration")
	return ""
}

// TestDocumentedYAMLPassesCheck checks complete files as they are. A fragment is merged into the README's smallest
// configuration and the fragments above it on the same page.
func TestDocumentedYAMLPassesCheck(t *testing.T) {
	t.Parallel()
	base := smallestConfiguration(t)
	foreign := map[string]bool{}
	page, file := "", map[string]any{}
	for _, b := range documentedBlocks(t, "yaml") {
		first, _, _ := strings.Cut(b.text, "\n")
		if name := b.document + " " + first; foreignYAML[name] != "" {
			foreign[name] = true
			continue
		}
		text := b.text
		if !strings.HasPrefix(text, "version: 1\n") {
			if page != b.document {
				page, file = b.document, map[string]any{}
				parse(t, "the README's configuration", base, file)
			}
			fragment := map[string]any{}
			parse(t, b.place(), text, fragment)
			merge(file, fragment)
			merged, err := yaml.Marshal(file)
			if err != nil {
				t.Fatal(err)
			}
			text = string(merged)
		}
		if out, err := strictCheck(t, text); err != nil {
			t.Errorf("%s: %v\n%s\nThe whole file:\n%s", b.place(), err, out, text)
		}
	}
	for name := range foreignYAML {
		if !foreign[name] {
			t.Errorf("foreignYAML names %q, which no document has", name)
		}
	}
}

// strictCheck runs hubgate check in a folder that also has what configurations of the documents refer to.
func strictCheck(t *testing.T, text string) (string, error) {
	t.Helper()
	folder := t.TempDir()
	text = strings.ReplaceAll(text, "/run/credentials/hubgate.service/", loadCredentials(t)+"/")
	if err := os.WriteFile(filepath.Join(folder, "hubgate.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(folder, "pages"), 0o700); err != nil {
		t.Fatal(err)
	}
	texts, _ := blocks(t, "docs/pages.md")
	for _, b := range texts {
		if b.language == "json" {
			if err := os.WriteFile(filepath.Join(folder, "pages", "en.json"), []byte(b.text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	check := exec.CommandContext(t.Context(), binary, "check", "--strict", "--config", "hubgate.yaml")
	check.Dir, check.Env = folder, secrets
	out, err := check.CombinedOutput()
	return string(out), err
}

// loadCredentials returns a folder with the secrets that deploy/hubgate.service loads.
func loadCredentials(t *testing.T) string {
	t.Helper()
	unit, err := os.ReadFile("../deploy/hubgate.service")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for line := range strings.Lines(string(unit)) {
		if credential, is := strings.CutPrefix(line, "LoadCredential="); is {
			name, _, _ := strings.Cut(credential, ":")
			overwrite(t, filepath.Join(folder, name), sealKey)
		}
	}
	return folder
}

func parse(t *testing.T, place, text string, into map[string]any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), &into); err != nil {
		t.Fatalf("%s: %v\n%s", place, err, text)
	}
}

// merge replaces values of a file by those of a fragment; sections are merged key by key.
func merge(file, fragment map[string]any) {
	for key, value := range fragment {
		section, is := value.(map[string]any)
		old, was := file[key].(map[string]any)
		if is && was {
			merge(old, section)
			fragment[key] = old
		}
	}
	maps.Copy(file, fragment)
}
