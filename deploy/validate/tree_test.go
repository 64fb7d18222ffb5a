package validate

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	repository = "../.."
	release    = "v1.2.3"
)

// taggedTree copies the repository into a folder of its own, as a commit with the tag of a release. All copies have
// the same commit.
func taggedTree(t *testing.T) string {
	t.Helper()
	tree := t.TempDir()
	listed := run(t, repository, "git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
	for path := range strings.SplitSeq(strings.TrimSuffix(listed, "\x00"), "\x00") {
		info, err := os.Lstat(filepath.Join(repository, path))
		if err != nil {
			continue // deleted, and not committed yet
		}
		text, err := os.ReadFile(filepath.Join(repository, path))
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(tree, path)), 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(tree, path), text, info.Mode().Perm())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	settings := []string{"-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "core.autocrlf=false",
		"-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false", "-c", "core.hooksPath=/dev/null"}
	for _, step := range []string{"init -q", "add --all", "commit -q -m Release", "tag " + release} {
		run(t, tree, "git", append(settings, strings.Fields(step)...)...)
	}
	return tree
}

// run runs a command in a folder, and returns its output. Go records the state of version control, and git has a fixed
// time.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=true",
		"GIT_AUTHOR_DATE=2026-01-02T03:04:05Z", "GIT_COMMITTER_DATE=2026-01-02T03:04:05Z")
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", cmd, err, out.String(), problems.String())
	}
	return out.String()
}
