package validate

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	"sigs.k8s.io/yaml"
)

const chartFolder = "../helm/hubgate"

func loadChart(t *testing.T) *chart.Chart {
	t.Helper()
	c, err := loader.LoadDir(chartFolder)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// render renders the chart as helm install does, with the schema of the values.
func render(c *chart.Chart, values chartutil.Values) (map[string]string, error) {
	kubernetes, err := chartutil.ParseKubeVersion("v1.34.0")
	if err != nil {
		return nil, err
	}
	capabilities := chartutil.DefaultCapabilities.Copy()
	capabilities.KubeVersion = *kubernetes
	release := chartutil.ReleaseOptions{Name: "site", Namespace: "web", Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(c, values, release, capabilities)
	if err != nil {
		return nil, err
	}
	return engine.Render(c, all)
}

// installation is what one file of values renders.
type installation struct {
	manifests
	notes string
}

func install(t *testing.T, values chartutil.Values) *installation {
	t.Helper()
	files, err := render(loadChart(t), values)
	if err != nil {
		t.Fatal(err)
	}
	in := new(installation)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasSuffix(name, "/NOTES.txt") {
			in.notes = files[name]
		} else {
			in.addAll(t, name, files[name])
		}
	}
	return in
}

// parseValues reads values as Helm does: large numbers stay whole.
func parseValues(t *testing.T, text string) chartutil.Values {
	t.Helper()
	values, err := chartutil.ReadValues([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// eachValuesFile runs a test for every file of values in ci, which are what users of the chart are known to need.
func eachValuesFile(t *testing.T, test func(t *testing.T, values chartutil.Values)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(chartFolder, "ci", "*-values.yaml"))
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files of values, want at least 10: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), "-values.yaml"), func(t *testing.T) {
			t.Parallel()
			values, err := chartutil.ReadValuesFile(file)
			if err != nil {
				t.Fatal(err)
			}
			test(t, values)
		})
	}
}

// minimal returns the least values that install the chart, merged with changes.
func minimal(t *testing.T, changes string) chartutil.Values {
	t.Helper()
	values, err := chartutil.ReadValuesFile(filepath.Join(chartFolder, "ci", "minimal-values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return chartutil.CoalesceTables(parseValues(t, changes), values)
}

func TestChartRendersValidManifests(t *testing.T) {
	t.Parallel()
	eachValuesFile(t, func(t *testing.T, values chartutil.Values) {
		in := install(t, values)
		in.check(t)
		in.checkTestPod(t)
	})
}

func TestChartNotesNameTheNextSteps(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		changes string
		want    []string
	}{
		{"", []string{"callback  https://www.example.com/oauth2/callback\n",
			"sign-out  https://www.example.com/oauth2/signed_out\n", "helm test site --namespace web",
			"your load balancer, and let it forward to this Service, port 80:\n     site-hubgate.web"}},
		{"{config: {auth: {prefix: /login}}}", []string{"callback  https://www.example.com/login/callback\n"}},
		{"{secrets: {files: []}}", []string{"No Secret is mounted"}},
		{"{ingress: {enabled: true}}", []string{"kubectl get ingress site-hubgate --namespace web"}},
		{"{httpRoute: {enabled: true, parentRefs: [{name: public}]}}", []string{"kubectl get gateway"}},
		{"{serviceMonitor: {enabled: true}}", []string{"keeps Prometheus out"}},
		{"{service: {type: LoadBalancer}}", []string{"kubectl get service site-hubgate --namespace web"}},
	} {
		notes := install(t, minimal(t, c.changes)).notes
		for _, want := range c.want {
			if !strings.Contains(notes, want) {
				t.Errorf("with %s, the notes lack %q:\n%s", c.changes, want, notes)
			}
		}
	}
	admitted := "{serviceMonitor: {enabled: true}, networkPolicy: {adminFrom: [{podSelector: {}}]}}"
	notes := install(t, minimal(t, admitted)).notes
	for _, wrong := range []string{"No Secret", "keeps Prometheus out"} {
		if strings.Contains(notes, wrong) {
			t.Errorf("the notes say %q, which is not so:\n%s", wrong, notes)
		}
	}
}

func TestChartPassesLint(t *testing.T) {
	t.Parallel()
	eachValuesFile(t, func(t *testing.T, values chartutil.Values) {
		kubernetes, err := chartutil.ParseKubeVersion("v1.34.0")
		if err != nil {
			t.Fatal(err)
		}
		for _, message := range lint.AllWithKubeVersion(chartFolder, values, "web", kubernetes).Messages {
			if message.Severity > support.InfoSev {
				t.Error(message.Error())
			}
		}
	})
}

// A chart without a version of its own must say so, instead of asking for an image that does not exist.
func TestChartTakesTheImageOfItsRelease(t *testing.T) {
	t.Parallel()
	c := loadChart(t)
	values := minimal(t, `{image: {tag: ""}}`)
	if _, err := render(c, values); err == nil || !strings.Contains(err.Error(), "image.tag: missing") {
		t.Errorf("without a release: error %v", err)
	}
	c.Metadata.Version, c.Metadata.AppVersion = "2.3.4", "2.3.4"
	files, err := render(c, values)
	if err != nil {
		t.Fatal(err)
	}
	digest := "sha256:" + strings.Repeat("0", 64)
	pinned := install(t, minimal(t, "{image: {digest: '"+digest+"'}}"))
	for image, text := range map[string]string{
		"ghcr.io/hubgate/hubgate:2.3.4":     files["hubgate/templates/deployment.yaml"],
		"ghcr.io/hubgate/hubgate@" + digest: mustYAML(t, pinned.deployments[0]),
	} {
		if !strings.Contains(text, image) {
			t.Errorf("the image is not %s:\n%s", image, text)
		}
	}
}

func mustYAML(t *testing.T, object any) string {
	t.Helper()
	text, err := yaml.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
