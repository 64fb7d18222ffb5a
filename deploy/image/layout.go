package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The media types of https://github.com/opencontainers/image-spec.
const (
	mediaIndex    = "application/vnd.oci.image.index.v1+json"
	mediaManifest = "application/vnd.oci.image.manifest.v1+json"
	mediaConfig   = "application/vnd.oci.image.config.v1+json"
	mediaLayer    = "application/vnd.oci.image.layer.v1.tar+gzip"
)

// descriptor refers to a blob.
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Platform    *platformOf       `json:"platform,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

type platformOf struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
}

type index struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	Manifests     []descriptor      `json:"manifests"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

type manifest struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Config        descriptor   `json:"config"`
	Layers        []descriptor `json:"layers"`
}

type imageConfig struct {
	Created time.Time `json:"created"`
	platformOf
	Config settings `json:"config"`
	RootFS rootFS   `json:"rootfs"`
}

type rootFS struct {
	Type    string   `json:"type"`
	DiffIDs []string `json:"diff_ids"`
}

// writeLayout writes the image for all platforms, and prints its digest. index.json has one entry, the index of the
// platforms, since that is what a registry stores under a tag.
func (o options) writeLayout(platforms []string) error {
	text, err := os.ReadFile("Dockerfile")
	if err != nil {
		return err
	}
	common, err := parseDockerfile(string(text))
	if err != nil {
		return fmt.Errorf("parse Dockerfile: %w", err)
	}
	blobs := filepath.Join(o.layout, "blobs", "sha256")
	if _, err := os.Stat(blobs); err == nil {
		return fmt.Errorf("%s has a layout already; remove it", o.layout)
	}
	if err := os.MkdirAll(blobs, 0o755); err != nil {
		return err
	}
	images := index{SchemaVersion: 2, MediaType: mediaIndex}
	var version string
	for _, platform := range platforms {
		image, b, err := o.writeImage(blobs, platform, common)
		if err != nil {
			return err
		}
		version, images.Annotations = b.version, labels(common, b)
		images.Manifests = append(images.Manifests, image)
	}
	tagged, err := writeJSON(blobs, mediaIndex, images)
	if err != nil {
		return err
	}
	fmt.Println(tagged.Digest)
	tagged.Annotations = map[string]string{"org.opencontainers.image.ref.name": version}
	top, err := json.Marshal(index{SchemaVersion: 2, MediaType: mediaIndex, Manifests: []descriptor{tagged}})
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(o.layout, "index.json"), top, 0o644); err != nil {
		return err
	}
	return writeFile(filepath.Join(o.layout, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644)
}

// writeImage writes the blobs of one platform, and returns the descriptor of its manifest.
func (o options) writeImage(blobs, platform string, common settings) (descriptor, build, error) {
	root, err := os.MkdirTemp("", "hubgate-image-")
	if err != nil {
		return descriptor{}, build{}, err
	}
	defer os.RemoveAll(root)
	b, err := o.writeFiles(root, platform)
	if err != nil {
		return descriptor{}, b, err
	}
	files, err := newLayer(root, b.committed)
	if err != nil {
		return descriptor{}, b, err
	}
	layer, err := writeBlob(blobs, mediaLayer, files.compressed)
	if err != nil {
		return descriptor{}, b, err
	}
	system, architecture, _ := strings.Cut(platform, "/")
	on := platformOf{Architecture: architecture, OS: system}
	common.Labels = labels(common, b)
	config, err := writeJSON(blobs, mediaConfig,
		imageConfig{b.committed, on, common, rootFS{"layers", []string{files.content}}})
	if err != nil {
		return descriptor{}, b, err
	}
	image, err := writeJSON(blobs, mediaManifest, manifest{2, mediaManifest, config, []descriptor{layer}})
	image.Platform = &on
	return image, b, err
}

// labels returns the labels of the Dockerfile and those that depend on the commit.
func labels(common settings, b build) map[string]string {
	all := maps.Clone(common.Labels)
	all["org.opencontainers.image.version"] = b.version
	all["org.opencontainers.image.created"] = b.committed.Format(time.RFC3339)
	if b.revision != "" {
		all["org.opencontainers.image.revision"] = b.revision
	}
	return all
}

func writeJSON(blobs, mediaType string, value any) (descriptor, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return descriptor{}, err
	}
	return writeBlob(blobs, mediaType, text)
}

func writeBlob(blobs, mediaType string, content []byte) (descriptor, error) {
	sum := sha256.New()
	sum.Write(content)
	d := descriptor{MediaType: mediaType, Digest: digest(sum), Size: len(content)}
	return d, writeFile(filepath.Join(blobs, strings.TrimPrefix(d.Digest, "sha256:")), content, 0o644)
}

func digest(sum hash.Hash) string { return "sha256:" + hex.EncodeToString(sum.Sum(nil)) }
