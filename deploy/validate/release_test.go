package validate

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestReleaseIsBuiltWithOneGoVersion: image, archives and tests come from different files.
func TestReleaseIsBuiltWithOneGoVersion(t *testing.T) {
	t.Parallel()
	versions := map[string]string{
		"Dockerfile":                    `FROM --platform=\$BUILDPLATFORM golang:(\d+\.\d+\.\d+)-bookworm `,
		".github/workflows/ci.yml":      `go-version: (\d+\.\d+\.\d+),`,
		".github/workflows/release.yml": `go-version: (\d+\.\d+\.\d+),`,
	}
	want := find(t, "Dockerfile", versions["Dockerfile"])
	for file, pattern := range versions {
		if got := find(t, file, pattern); got != want {
			t.Errorf("%s has Go %s, the Dockerfile %s", file, got, want)
		}
	}
}

// TestArchivesAndImageHaveTheSameBinary compares the flags of both builds, since every flag changes the binary.
func TestArchivesAndImageHaveTheSameBinary(t *testing.T) {
	t.Parallel()
	for file, patterns := range map[string][]string{
		".goreleaser.yaml":      {`env: \[(CGO_ENABLED=0)\]`, `flags: \[(-trimpath)\]`, `ldflags: \[(-s -w)\]`},
		"deploy/image/files.go": {`"(CGO_ENABLED=0)"`, `"build", "(-trimpath)", "-ldflags"`, `linker := "(-s -w)"`},
	} {
		for _, pattern := range patterns {
			find(t, file, pattern)
		}
	}
}

// TestLicensesCoverThePlatformsOfTheRelease: each platform adds modules of its own.
func TestLicensesCoverThePlatformsOfTheRelease(t *testing.T) {
	t.Parallel()
	targets := strings.Split(find(t, ".goreleaser.yaml", `targets: \[([^\]]+)\]`), ", ")
	list := strings.ReplaceAll(find(t, "deploy/licenses/modules.go", `platforms = \[\]string\{([^}]+)\}`), `"`, "")
	platforms := strings.Split(strings.ReplaceAll(list, "/", "_"), ", ")
	if !slices.Equal(targets, platforms) {
		t.Errorf("the release has %q, THIRD_PARTY_LICENSES %q", targets, platforms)
	}
}

// TestActionsArePinnedByCommit: tags of actions can be moved by those who take over their repository.
func TestActionsArePinnedByCommit(t *testing.T) {
	t.Parallel()
	uses := regexp.MustCompile(`uses: (\S+)(.*)`)
	pinned := regexp.MustCompile(`^[a-z-]+/[a-z-]+@[0-9a-f]{40}$`)
	version := regexp.MustCompile(`^ # v\d+\.\d+\.\d+$`)
	count := 0
	for _, file := range []string{".github/workflows/ci.yml", ".github/workflows/release.yml"} {
		for _, action := range uses.FindAllStringSubmatch(read(t, file), -1) {
			count++
			if local := strings.HasPrefix(action[1], "./"); !local &&
				(!pinned.MatchString(action[1]) || !version.MatchString(action[2])) {
				t.Errorf("%s: %s: write the commit, and its version as a comment", file, action[0])
			}
		}
	}
	if count < 8 {
		t.Errorf("%d actions found", count)
	}
}

func TestReleaseNotesAreThoseOfTheVersion(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	script := filepath.Join(folder, ".ci", "release-notes")
	if err := os.Mkdir(filepath.Dir(script), 0o700); err != nil {
		t.Fatal(err)
	}
	changes := "## Unreleased\n\n## 1.2.30 (2026-03-01)\n\n- later\n\n## 1.2.3\n\n- this\n\n## 1.2.2\n\n- earlier\n"
	for path, text := range map[string]string{
		script: read(t, ".ci/release-notes"), filepath.Join(folder, "CHANGELOG.md"): changes,
	} {
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for version, want := range map[string]string{"v1.2.3": "- this", "v1.2.30": "- later"} {
		if got := strings.TrimSpace(run(t, folder, script, version)); got != want {
			t.Errorf("notes of %s: %q", version, got)
		}
	}
	missing := "if " + script + " v1.2.4; then echo accepted; fi"
	if got := run(t, folder, "sh", "-c", missing); strings.Contains(got, "accepted") {
		t.Error("a version that the changelog does not have was accepted")
	}
}

// find returns what the first group of a pattern matches in a file of the repository.
func find(t *testing.T, file, pattern string) string {
	t.Helper()
	match := regexp.MustCompile(pattern).FindStringSubmatch(read(t, file))
	if match == nil {
		t.Fatalf("%s does not match %s", file, pattern)
	}
	return match[1]
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
