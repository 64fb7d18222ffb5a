package validate

import (
	"archive/zip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/hubgate/hubgate"

// TestVersionIsThatOfTheBuild builds in the other ways than deploy/image, whose test has a tagged commit.
func TestVersionIsThatOfTheBuild(t *testing.T) {
	t.Parallel()
	tree := taggedTree(t)
	build := func(flags ...string) string {
		t.Helper()
		binary := filepath.Join(t.TempDir(), "hubgate")
		args := append([]string{"build", "-trimpath", "-o", binary}, flags...)
		run(t, tree, "go", append(args, "./cmd/hubgate")...)
		return binary
	}
	t.Run("a source archive", func(t *testing.T) {
		linker := "-s -w -X " + module + "/internal/buildinfo.version=" + release
		checkVersion(t, build("-buildvcs=false", "-ldflags", linker), release, false)
	})
	t.Run("local changes", func(t *testing.T) {
		if err := os.WriteFile(filepath.Join(tree, "LICENSE"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		checkVersion(t, build("-ldflags", "-s -w"), release+"+dirty", true)
	})
}

// TestGoInstallHasTheVersionOfTheModule installs the module from a proxy, as `go install MODULE@VERSION` does.
func TestGoInstallHasTheVersionOfTheModule(t *testing.T) {
	t.Parallel()
	proxy, bin := t.TempDir(), t.TempDir()
	writeModule(t, taggedTree(t), filepath.Join(proxy, filepath.FromSlash(module), "@v"))
	others := filepath.Join(strings.TrimSpace(run(t, ".", "go", "env", "GOMODCACHE")), "cache", "download")
	run(t, t.TempDir(), "env", "GOPROXY=file://"+proxy+",file://"+others, "GOSUMDB=off", "GOBIN="+bin,
		"GOMODCACHE="+t.TempDir(), "GOFLAGS=-modcacherw",
		"go", "install", "-trimpath", "-ldflags=-s -w", module+"/cmd/hubgate@"+release)
	checkVersion(t, filepath.Join(bin, "hubgate"), release, false)
}

// writeModule writes the files that a module proxy has for the release in tree.
func writeModule(t *testing.T, tree, folder string) {
	t.Helper()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	definition, err := os.ReadFile(filepath.Join(tree, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"list": release + "\n", release + ".mod": string(definition),
		release + ".info": `{"Version":"` + release + `"}`} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.Create(filepath.Join(folder, release+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	archive := zip.NewWriter(file)
	for path := range strings.SplitSeq(strings.TrimSpace(run(t, tree, "git", "ls-files")), "\n") {
		if !inNestedModule(tree, path) {
			addToModule(t, archive, tree, path)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
}

// inNestedModule reports whether a folder above a file, other than tree, has a go.mod: a proxy leaves such files out.
func inNestedModule(tree, path string) bool {
	for dir := filepath.Dir(path); dir != "."; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(tree, dir, "go.mod")); err == nil {
			return true
		}
	}
	return false
}

func addToModule(t *testing.T, archive *zip.Writer, tree, path string) {
	t.Helper()
	source, err := os.Open(filepath.Join(tree, path))
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	entry, err := archive.Create(module + "@" + release + "/" + path)
	if err == nil {
		_, err = io.Copy(entry, source)
	}
	if err != nil {
		t.Fatal(err)
	}
}
