package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// platforms are those of .goreleaser.yaml: each adds modules of its own.
var platforms = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64"}

const standardLibrary = "Go standard library"

// module is a module that binaries contain, with the files that state its license.
type module struct {
	path, version string
	files         []string
}

// listed is what go list prints about a package.
type listed struct {
	Dir    string
	Module *struct {
		Path, Version, Dir string
		Main               bool
	}
}

// list returns the modules of cmd/hubgate on all platforms, sorted by path, and the standard library first. It collects
// the license files of each package's folder and of the folders above it: a package may contain code of other authors.
func list(root string) ([]module, error) {
	found := map[string]*module{}
	for _, platform := range platforms {
		packages, err := dependencies(root, platform)
		if err != nil {
			return nil, err
		}
		for _, p := range packages {
			if p.Module == nil || p.Module.Main {
				continue
			}
			m := found[p.Module.Path]
			if m == nil {
				m = &module{path: p.Module.Path, version: p.Module.Version}
				found[m.path] = m
			}
			if err := m.collect(p.Dir, p.Module.Dir); err != nil {
				return nil, err
			}
		}
	}
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, err
	}
	standard := module{path: standardLibrary}
	dir := strings.TrimSpace(string(goroot))
	if err := standard.collect(dir, dir); err != nil {
		return nil, err
	}
	modules := []module{standard}
	for _, path := range slices.Sorted(maps.Keys(found)) {
		modules = append(modules, *found[path])
	}
	return modules, nil
}

// dependencies returns the packages of cmd/hubgate on a platform.
func dependencies(root, platform string) ([]listed, error) {
	system, architecture, _ := strings.Cut(platform, "/")
	cmd := exec.Command("go", "list", "-deps", "-json=Dir,Module", "./cmd/hubgate")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH="+architecture, "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list for %s: %w", platform, err)
	}
	var packages []listed
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		switch err := decoder.Decode(&p); {
		case errors.Is(err, io.EOF):
			return packages, nil
		case err != nil:
			return nil, err
		}
		packages = append(packages, p)
	}
}

var licenseFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|unlicense)([-.][a-z0-9-]+)*$`)

// collect adds the license files of dir and of the folders above it up to top.
func (m *module) collect(dir, top string) error {
	for ; ; dir = filepath.Dir(dir) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			if e.Type().IsRegular() && licenseFile.MatchString(e.Name()) && filepath.Ext(path) != ".go" &&
				!slices.Contains(m.files, path) {
				m.files = append(m.files, path)
			}
		}
		if dir == top {
			slices.Sort(m.files)
			return nil
		}
	}
}
