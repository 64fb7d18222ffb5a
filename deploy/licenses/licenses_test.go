package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../.."

// TestThirdPartyLicensesAreComplete fails for a module without a license, for one whose license is not approved, and
// after a change of go.mod.
func TestThirdPartyLicensesAreComplete(t *testing.T) {
	t.Parallel()
	modules, err := list(root)
	if err != nil {
		t.Fatal(err)
	}
	want, err := document(modules)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(root, output))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s does not match go.mod; run: go run ./deploy/licenses", output)
	}
}

func TestApprovedLicensesAreAllInUse(t *testing.T) {
	t.Parallel()
	modules, err := list(root)
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, m := range modules {
		for _, path := range m.files {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			used[fingerprint(text)] = true
		}
	}
	for sum, license := range approved {
		if !used[sum] {
			t.Errorf("no module has the %s text %s; delete the row", license, sum)
		}
	}
}

func TestUnknownAndMissingLicensesFail(t *testing.T) {
	t.Parallel()
	isc := "Permission to use, copy, modify, and/or distribute this software is hereby granted."
	for _, c := range []struct{ name, file, text, want string }{
		{"an unknown text", "LICENSE", isc, "not approved"},
		{"a changed text", "LICENSE", approvedText(t) + "\nYou must not sell the software.", "not approved"},
		{"no license", "README", "free", "has no license file"},
		{"attributions without a license", "NOTICE", "made by us", "has no license file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, c.file), []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			m := module{path: "example.com/module", version: "v1.0.0"}
			if err := m.collect(dir, dir); err != nil {
				t.Fatal(err)
			}
			_, err := document([]module{m})
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), m.path) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestLicensesOfPackagesAreCollected has a package with other people's code in a module with a license of its own.
func TestLicensesOfPackagesAreCollected(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	inner := filepath.Join(top, "internal", "theirs")
	if err := os.MkdirAll(inner, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(top, "LICENSE"), filepath.Join(inner, "COPYING.txt")} {
		if err := os.WriteFile(path, []byte(approvedText(t)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m := module{path: "example.com/module", version: "v1.0.0"}
	for range 2 {
		if err := m.collect(inner, top); err != nil {
			t.Fatal(err)
		}
	}
	if len(m.files) != 2 {
		t.Errorf("collected %q", m.files)
	}
	text, err := document([]module{m})
	if err != nil || !bytes.Contains(text, []byte("example.com/module v1.0.0")) {
		t.Errorf("%v\n%s", err, text)
	}
}

// approvedText returns hubgate's own license, whose text many modules have.
func approvedText(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "LICENSE"))
	if err != nil {
		t.Fatal(err)
	}
	if approved[fingerprint(text)] != "Apache-2.0" {
		t.Fatal("LICENSE is not approved")
	}
	return string(text)
}
