package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// layer is a compressed archive of files. content is its hash without the compression.
type layer struct {
	compressed []byte
	content    string
}

// newLayer archives the files of root. The same files and the same time give the same bytes: everything belongs to
// root, and has that time.
func newLayer(root string, modified time.Time) (layer, error) {
	var compressed bytes.Buffer
	compressor, err := gzip.NewWriterLevel(&compressed, gzip.BestCompression)
	if err != nil {
		return layer{}, err
	}
	sum := sha256.New()
	archive := tar.NewWriter(io.MultiWriter(compressor, sum))
	if err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		return addFile(archive, root, path, modified)
	}); err != nil {
		return layer{}, err
	}
	if err := archive.Close(); err != nil {
		return layer{}, err
	}
	if err := compressor.Close(); err != nil {
		return layer{}, err
	}
	return layer{compressed.Bytes(), digest(sum)}, nil
}

func addFile(archive *tar.Writer, root, path string, modified time.Time) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	header, err := tar.FileInfoHeader(info, "")
	if err != nil {
		return err
	}
	name, err := filepath.Rel(root, path)
	if err != nil {
		return err
	}
	if info.IsDir() {
		name += "/"
	}
	*header = tar.Header{Typeflag: header.Typeflag, Name: filepath.ToSlash(name), Mode: header.Mode,
		Size: header.Size, ModTime: modified, Format: tar.FormatUSTAR}
	if err := archive.WriteHeader(header); err != nil || info.IsDir() {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(archive, file)
	return err
}
