package e2e

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// buildCommand matches a command in a document or script that builds the binary.
var buildCommand = regexp.MustCompile("(?m)(?:[A-Z_]+=\\S+ )*\\bgo build\\b[^\n`#]*?\\./cmd/hubgate\\b")

// documentedBuilds returns these commands by file.
func documentedBuilds(t *testing.T) map[string][]string {
	t.Helper()
	var files []string
	for _, pattern := range []string{"README.md", "docs/*.md", "Dockerfile", "deploy/*.*", ".ci/smoke"} {
		found, err := filepath.Glob(filepath.Join("..", pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	all := map[string][]string{}
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && info.IsDir() {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if commands := buildCommand.FindAllString(string(text), -1); commands != nil {
			all[filepath.Base(file)] = commands
		}
	}
	return all
}

func TestDocumentedBuildsAreStaticAndSmall(t *testing.T) {
	t.Parallel()
	builds := documentedBuilds(t)
	for _, file := range []string{"README.md", "operations.md", "smoke"} {
		if len(builds[file]) == 0 {
			t.Errorf("%s has no build command", file)
		}
	}
	for file, commands := range builds {
		for _, command := range commands {
			for _, part := range []string{"CGO_ENABLED=0 go build", " -trimpath ", "-s -w", " -o "} {
				if !strings.Contains(command, part) {
					t.Errorf("%s: %q has no %q", file, command, part)
				}
			}
		}
	}
}

func TestReadmeBuildIsStatic(t *testing.T) {
	t.Parallel()
	commands := documentedBuilds(t)["README.md"]
	if len(commands) == 0 {
		t.Fatal("the README has no build command")
	}
	path := filepath.Join(t.TempDir(), "hubgate")
	build := exec.Command("sh", "-c", strings.Replace(commands[0], "-o hubgate", "-o "+path, 1))
	build.Dir, build.Env = "..", append(os.Environ(), "GOOS=linux")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", build, err, out)
	}
	binary, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer binary.Close()
	for _, p := range binary.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("%s builds a binary with %v: it needs a dynamic loader", commands[0], p.Type)
		}
	}
	if libraries, _ := binary.ImportedLibraries(); len(libraries) > 0 {
		t.Errorf("the binary needs %v", libraries)
	}
	if binary.Section(".symtab") != nil || binary.Section(".debug_info") != nil {
		t.Error("the binary has debug symbols, a quarter of its size")
	}
}
