package validate

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// TestImageIsReproducibleAndComplete builds the image twice, in different folders, and inspects it with a library that
// did not write it.
func TestImageIsReproducibleAndComplete(t *testing.T) {
	t.Parallel()
	tree := taggedTree(t)
	images := buildImage(t, tree, "linux/amd64,linux/arm64")
	again := buildImage(t, taggedTree(t), "linux/amd64")
	commit := strings.TrimSpace(run(t, tree, "git", "rev-parse", "HEAD"))
	manifest, err := images.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if !cmp.Equal(manifest.Annotations, imageLabels(commit)) {
		t.Errorf("annotations of the index: %s", cmp.Diff(imageLabels(commit), manifest.Annotations))
	}
	if _, err := again.Image(manifest.Manifests[0].Digest); err != nil {
		t.Errorf("two builds of one commit differ: %v", err)
	}
	var platforms []string
	for _, m := range manifest.Manifests {
		image, err := images.Image(m.Digest)
		if err != nil {
			t.Fatal(err)
		}
		platforms = append(platforms, m.Platform.String())
		t.Run(m.Platform.String(), func(t *testing.T) {
			testImageConfig(t, image, m.Platform, commit)
			files := imageFiles(t, image)
			testImageFiles(t, files)
			testImageBinary(t, files, m.Platform)
			if m.Platform.Architecture == runtime.GOARCH {
				testImageVersion(t, files)
				testReadOnlyContainer(t, files)
			}
		})
	}
	if want := []string{"linux/amd64", "linux/arm64"}; !cmp.Equal(platforms, want) {
		t.Errorf("platforms: %q", platforms)
	}
}

// buildImage builds the layout, checks all digests and sizes in it, and returns the index of the platforms.
func buildImage(t *testing.T, tree, platforms string) v1.ImageIndex {
	t.Helper()
	folder := t.TempDir()
	digest := strings.TrimSpace(run(t, tree, "go", "run", "./deploy/image", "-layout", folder, "-platforms", platforms))
	top, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(top); err != nil {
		t.Error(err)
	}
	manifest, err := top.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Manifests) != 1 {
		t.Fatalf("index.json has %d entries; registries store one under a tag", len(manifest.Manifests))
	}
	tagged := manifest.Manifests[0]
	if tagged.Digest.String() != digest || tagged.MediaType != types.OCIImageIndex ||
		tagged.Annotations["org.opencontainers.image.ref.name"] != release {
		t.Errorf("printed %s, but index.json has %+v", digest, tagged)
	}
	images, err := top.ImageIndex(tagged.Digest)
	if err != nil {
		t.Fatal(err)
	}
	return images
}

func imageLabels(commit string) map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":         "hubgate",
		"org.opencontainers.image.description":   "Login for HubSpot-hosted sites: Cognito, Redis sessions, contact sync",
		"org.opencontainers.image.source":        "https://github.com/hubgate/hubgate",
		"org.opencontainers.image.documentation": "https://github.com/hubgate/hubgate/blob/main/README.md",
		"org.opencontainers.image.licenses":      "Apache-2.0",
		"org.opencontainers.image.version":       release,
		"org.opencontainers.image.revision":      commit,
		"org.opencontainers.image.created":       "2026-01-02T03:04:05Z",
	}
}

func testImageConfig(t *testing.T, image v1.Image, platform *v1.Platform, commit string) {
	t.Helper()
	file, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	want := v1.Config{
		User:         "65532:65532",
		Entrypoint:   []string{"/hubgate"},
		Cmd:          []string{"serve"},
		Env:          []string{"HUBGATE_CONFIG=/etc/hubgate/hubgate.yaml"},
		ExposedPorts: map[string]struct{}{"8080/tcp": {}, "9090/tcp": {}},
		Labels:       imageLabels(commit),
		Healthcheck: &v1.HealthConfig{Test: []string{"CMD", "/hubgate", "healthcheck"},
			Interval: 10 * time.Second, Timeout: 6 * time.Second, StartPeriod: 5 * time.Second},
	}
	if diff := cmp.Diff(want, file.Config); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
	if !file.Platform().Equals(*platform) || file.Created.Format(time.RFC3339) != "2026-01-02T03:04:05Z" {
		t.Errorf("%s, created %s; want %s and the time of the commit", file.Platform(), file.Created, platform)
	}
}
