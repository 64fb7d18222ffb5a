package main

import (
	"cmp"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	documents   = "usr/share/doc/hubgate"
	authorities = "etc/ssl/certs/ca-certificates.crt"
)

var folders = []string{"etc", "etc/ssl", "etc/ssl/certs", "usr", "usr/share", "usr/share/doc", documents}

// build is what the Go toolchain recorded in a binary.
type build struct {
	version, revision string    // "devel" and "" without version control
	committed         time.Time // the Unix epoch without version control
}

// writeFiles writes the files of the image for one platform into root: the binary, what it contains, the certificate
// authorities, and a folder for the temporary files of `hubgate demo` and `hubgate contacts backfill`.
func (o options) writeFiles(root, platform string) (build, error) {
	for _, dir := range folders {
		if err := makeFolder(filepath.Join(root, dir), 0o755); err != nil {
			return build{}, err
		}
	}
	if err := makeFolder(filepath.Join(root, "tmp"), fs.ModeSticky|0o777); err != nil {
		return build{}, err
	}
	for from, to := range map[string]string{
		o.authorities:          filepath.Join(root, authorities),
		"LICENSE":              filepath.Join(root, documents, "LICENSE"),
		"THIRD_PARTY_LICENSES": filepath.Join(root, documents, "THIRD_PARTY_LICENSES"),
	} {
		text, err := os.ReadFile(from)
		if err == nil {
			err = writeFile(to, text, 0o644)
		}
		if err != nil {
			return build{}, err
		}
	}
	binary := filepath.Join(root, "hubgate")
	if err := o.compile(binary, platform); err != nil {
		return build{}, err
	}
	b, err := readBuild(binary)
	if err != nil {
		return build{}, err
	}
	b.version = cmp.Or(o.version, b.version)
	return b, writeSBOM(root, b.version)
}

// makeFolder creates a folder whose mode does not depend on the umask.
func makeFolder(path string, mode fs.FileMode) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}

// writeFile writes a file whose mode does not depend on the umask.
func writeFile(path string, text []byte, mode fs.FileMode) error {
	if err := os.WriteFile(path, text, mode); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}

// compile builds the binary, with the flags of .goreleaser.yaml.
func (o options) compile(binary, platform string) error {
	system, architecture, _ := strings.Cut(platform, "/")
	linker := "-s -w"
	if o.version != "" {
		linker += " -X github.com/hubgate/hubgate/internal/buildinfo.version=" + o.version
	}
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", linker, "-o", binary, "./cmd/hubgate")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+architecture)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build for %s: %w", platform, err)
	}
	return os.Chmod(binary, 0o755)
}

func readBuild(binary string) (build, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return build{}, err
	}
	b := build{version: strings.Trim(info.Main.Version, "()"), committed: time.Unix(0, 0).UTC()}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.revision = s.Value
		case "vcs.time":
			if b.committed, err = time.Parse(time.RFC3339, s.Value); err != nil {
				return build{}, err
			}
		}
	}
	return b, nil
}

// writeSBOM lists the modules of the binary, and the certificate authorities, in the format CycloneDX. It leaves out
// what differs between two builds: the time, the serial number, and the hashes of the program that writes the list.
func writeSBOM(root, version string) error {
	cmd := exec.Command("go", "tool", "-modfile=tools.mod", "cyclonedx-gomod", "bin", "-json", "-std",
		"-noserial", "-notimestamp", "-version", version, filepath.Join(root, "hubgate"))
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("cyclonedx-gomod: %w", err)
	}
	var list map[string]any
	if err := json.Unmarshal(out, &list); err != nil {
		return err
	}
	if metadata, ok := list["metadata"].(map[string]any); ok {
		delete(metadata, "tools")
	}
	trusted, err := os.ReadFile(filepath.Join(root, authorities))
	if err != nil {
		return err
	}
	modules, _ := list["components"].([]any)
	list["components"] = append(modules, map[string]any{"type": "file", "name": "/" + authorities,
		"hashes": []any{map[string]any{"alg": "SHA-256", "content": fmt.Sprintf("%x", sha256.Sum256(trusted))}}})
	text, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(root, documents, "sbom.cdx.json"), append(text, '\n'), 0o644)
}
