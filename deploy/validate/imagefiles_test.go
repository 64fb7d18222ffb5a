package validate

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"debug/buildinfo"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

const (
	maxBinary     = 45 << 20 // bytes of the binary
	maxCompressed = 20 << 20 // bytes to download for one platform
)

// imageFile is a file of the image: its entry in the archive, and its content.
type imageFile struct {
	header  *tar.Header
	content []byte
}

// imageFiles returns all files of the image's only layer by name.
func imageFiles(t *testing.T, image v1.Image) map[string]imageFile {
	t.Helper()
	layers, err := image.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%d layers, %v", len(layers), err)
	}
	if size, err := layers[0].Size(); err != nil || size > maxCompressed {
		t.Errorf("the layer has %d bytes (%v), more than %d", size, err, maxCompressed)
	}
	stream, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	files := map[string]imageFile{}
	for archive := tar.NewReader(stream); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		files[header.Name] = imageFile{header, content}
	}
}

// testImageFiles checks that the image has these files and no others, with these modes, and that root owns them.
func testImageFiles(t *testing.T, files map[string]imageFile) {
	t.Helper()
	got := map[string]string{}
	for name, f := range files {
		got[name] = fmt.Sprintf("%o %d:%d %s", f.header.Mode, f.header.Uid, f.header.Gid,
			f.header.ModTime.UTC().Format("2006-01-02"))
	}
	want := map[string]string{"hubgate": "755 0:0 2026-01-02", "tmp/": "1777 0:0 2026-01-02"}
	for _, folder := range []string{"etc/", "etc/ssl/", "etc/ssl/certs/", "usr/", "usr/share/", "usr/share/doc/",
		"usr/share/doc/hubgate/"} {
		want[folder] = "755 0:0 2026-01-02"
	}
	for _, file := range []string{"etc/ssl/certs/ca-certificates.crt", "usr/share/doc/hubgate/LICENSE",
		"usr/share/doc/hubgate/THIRD_PARTY_LICENSES", "usr/share/doc/hubgate/sbom.cdx.json"} {
		want[file] = "644 0:0 2026-01-02"
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("files (-want +got):\n%s", diff)
	}
	authorities := x509.NewCertPool()
	bundle := files["etc/ssl/certs/ca-certificates.crt"].content
	if count := bytes.Count(bundle, []byte("BEGIN CERTIFICATE")); !authorities.AppendCertsFromPEM(bundle) || count < 50 {
		t.Errorf("%d certificate authorities", count)
	}
	license, err := os.ReadFile(filepath.Join(repository, "LICENSE"))
	if err != nil || !bytes.Equal(license, files["usr/share/doc/hubgate/LICENSE"].content) {
		t.Errorf("LICENSE differs: %v", err)
	}
}

// testImageBinary checks that the binary is static and for its platform, and that the SBOM and the licenses name
// exactly the modules that it contains. The SBOM also names the certificate authorities.
func testImageBinary(t *testing.T, files map[string]imageFile, platform *v1.Platform) {
	t.Helper()
	binary := files["hubgate"].content
	if len(binary) > maxBinary {
		t.Errorf("the binary has %d bytes, more than %d", len(binary), maxBinary)
	}
	program, err := elf.NewFile(bytes.NewReader(binary))
	if err != nil {
		t.Fatal(err)
	}
	machine := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[platform.Architecture]
	libraries, _ := program.ImportedLibraries()
	if program.Machine != machine || len(libraries) > 0 {
		t.Errorf("machine %s, libraries %q", program.Machine, libraries)
	}
	for _, header := range program.Progs {
		if header.Type == elf.PT_INTERP {
			t.Error("the binary is not static: it has an interpreter, which the image lacks")
		}
	}
	info, err := buildinfo.Read(bytes.NewReader(binary))
	if err != nil {
		t.Fatal(err)
	}
	const trusted = "etc/ssl/certs/ca-certificates.crt"
	want := map[string]string{
		"std": info.GoVersion, "/" + trusted: fmt.Sprintf("%x", sha256.Sum256(files[trusted].content)),
	}
	licenses := string(files["usr/share/doc/hubgate/THIRD_PARTY_LICENSES"].content)
	for _, module := range info.Deps {
		want[module.Path] = module.Version
		if !strings.Contains(licenses, "\n"+module.Path+" "+module.Version+"\n") {
			t.Errorf("no license text of %s %s", module.Path, module.Version)
		}
	}
	if diff := cmp.Diff(want, sbomComponents(t, files)); diff != "" || len(want) < 20 {
		t.Errorf("SBOM (-binary +list):\n%s", diff)
	}
	if !strings.Contains(licenses, "\nGo standard library\n") {
		t.Error("no license text of Go")
	}
}

// sbomComponents returns the modules in the SBOM with their versions, and the files with their SHA-256.
func sbomComponents(t *testing.T, files map[string]imageFile) map[string]string {
	t.Helper()
	var list struct {
		BOMFormat string
		Metadata  struct {
			Component struct{ Name, Version string }
		}
		Components []struct {
			Name, Version string
			Hashes        []struct{ Content string }
		}
	}
	if err := json.Unmarshal(files["usr/share/doc/hubgate/sbom.cdx.json"].content, &list); err != nil {
		t.Fatal(err)
	}
	main := list.Metadata.Component
	if list.BOMFormat != "CycloneDX" || main.Name != "github.com/hubgate/hubgate" || main.Version != release {
		t.Errorf("the SBOM is about %+v", main)
	}
	components := map[string]string{}
	for _, c := range list.Components {
		components[c.Name] = c.Version
		if len(c.Hashes) > 0 && c.Version == "" {
			components[c.Name] = c.Hashes[0].Content
		}
	}
	return components
}
