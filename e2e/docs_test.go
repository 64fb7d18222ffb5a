package e2e

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// block is a fenced block of a document.
type block struct {
	document string // path from the repository's root
	line     int    // of the first line in the block
	language string
	text     string
}

func (b block) place() string { return fmt.Sprintf("%s:%d", b.document, b.line) }

// documents returns the paths of all documents, from the repository's root.
func documents(t *testing.T) []string {
	t.Helper()
	files := []string{"README.md", "CONTRIBUTING.md", "SECURITY.md"}
	err := filepath.WalkDir("../docs", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && filepath.Ext(path) == ".md" {
			files = append(files, strings.TrimPrefix(filepath.ToSlash(path), "../"))
		}
		return err
	})
	if err != nil || len(files) < 15 {
		t.Fatalf("found %d documents: %v", len(files), err)
	}
	return files
}

var fence = regexp.MustCompile("^( *)```(.*)$")

// blocks returns the fenced blocks of a document, without the indentation of their fences, and the prose around them:
// the document with empty lines in place of the blocks.
func blocks(t *testing.T, document string) (found []block, prose string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", document))
	if err != nil {
		t.Fatal(err)
	}
	var open *block
	indent := ""
	for i, line := range strings.Split(string(raw), "\n") {
		mark := fence.FindStringSubmatch(line)
		inside := mark != nil || open != nil
		switch {
		case mark != nil && open == nil:
			open, indent = &block{document: document, line: i + 2, language: mark[2]}, mark[1]
		case mark != nil:
			found, open = append(found, *open), nil
		case open != nil:
			open.text += strings.TrimPrefix(line, indent) + "\n"
		}
		if !inside {
			prose += line
		}
		prose += "\n"
	}
	if open != nil {
		t.Fatalf("%s: the block is not closed", open.place())
	}
	return found, prose
}

// documentedBlocks returns the blocks of all documents in one language.
func documentedBlocks(t *testing.T, language string) []block {
	t.Helper()
	var all []block
	for _, document := range documents(t) {
		found, _ := blocks(t, document)
		all = append(all, slices.DeleteFunc(found, func(b block) bool { return b.language != language })...)
	}
	return all
}

// Only blocks whose language is known are checked: a block without one would be left out of every test.
func TestDocumentedBlocksNameTheirLanguage(t *testing.T) {
	t.Parallel()
	languages := []string{
		"sh", "yaml", "json", "html", "csv", "promql", "redis", "text", "hcl", "nginx", "caddyfile", "ini",
	}
	for _, document := range documents(t) {
		found, _ := blocks(t, document)
		for _, b := range found {
			if !slices.Contains(languages, b.language) {
				t.Errorf("%s: language %q; use one of %v", b.place(), b.language, languages)
			}
		}
	}
}

func TestDocumentedJSONIsValid(t *testing.T) {
	t.Parallel()
	for _, b := range documentedBlocks(t, "json") {
		if !json.Valid([]byte(b.text)) {
			t.Errorf("%s: not valid JSON:\n%s", b.place(), b.text)
		}
	}
}
