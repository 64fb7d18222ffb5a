package validate

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
)

// packaged runs what the release workflow runs, and loads the package.
func packaged(t *testing.T, folder string) *chart.Chart {
	t.Helper()
	command := find(t, ".github/workflows/release.yml", `(?m)^ +(go run -C deploy/validate \./packagechart .*)$`)
	command = strings.NewReplacer(`"$GITHUB_REF_NAME"`, release, `"$RUNNER_TEMP/chart"`, folder).Replace(command)
	run(t, repository, "sh", "-c", command)
	// .goreleaser.yaml names the file
	name := find(t, ".goreleaser.yaml", `extra_files: &chart \[\{glob: "\{\{ \.Env\.RUNNER_TEMP \}\}/chart/([^"]+)"`)
	name = strings.ReplaceAll(name, "{{ .Version }}", strings.TrimPrefix(release, "v"))
	c, err := loader.LoadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The package must work without the repository: with the version of the release, and files instead of links.
func TestReleasedChartIsComplete(t *testing.T) {
	t.Parallel()
	c := packaged(t, t.TempDir())
	if m := c.Metadata; m.Version != "1.2.3" || m.AppVersion != "1.2.3" {
		t.Errorf("chart %s of version %s", m.Version, m.AppVersion)
	}
	values := minimal(t, `{image: {tag: ""}, prometheusRule: {enabled: true}, dashboard: {enabled: true}}`)
	got, err := render(c, values)
	if err != nil {
		t.Fatal(err)
	}
	source := loadChart(t)
	source.Metadata.Version, source.Metadata.AppVersion = "1.2.3", "1.2.3"
	want, err := render(source, values)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range want {
		if got[name] != text {
			t.Errorf("the package renders %s differently:\n%s", name, got[name])
		}
	}
	if !strings.Contains(got["hubgate/templates/deployment.yaml"], "ghcr.io/hubgate/hubgate:1.2.3") {
		t.Error("the package asks for the image of another version")
	}
	if _, err := render(c, chartutil.Values{"replicaCount": 2}); err == nil {
		t.Error("the package has no schema of its values")
	}
	if !slices.ContainsFunc(c.Raw, func(f *chart.File) bool { return f.Name == "files/rules.yml" && len(f.Data) > 1000 }) {
		t.Error("the package has a link to the rules")
	}
}

// Chart and image must not be published under a word that is not a version.
func TestChartIsPackagedOnlyWithAVersion(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, wrong := range []string{"''", "main", "v1.2.3.4"} {
		script := "if go run -C " + repository + "/deploy/validate ./packagechart -version " + wrong + " -to " + folder +
			"; then echo accepted; fi"
		if out := run(t, ".", "sh", "-c", script); strings.Contains(out, "accepted") {
			t.Errorf("%s was accepted: %s", wrong, out)
		}
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) > 0 {
		t.Errorf("%v was written: %v", files, err)
	}
}
