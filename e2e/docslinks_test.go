package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	markdownLink    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	markdownHeading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	notInAnchor     = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// TestDocumentLinksResolve checks links to files and headings of the repository. Links to other sites are not followed.
func TestDocumentLinksResolve(t *testing.T) {
	t.Parallel()
	for _, document := range append(documents(t), "CHANGELOG.md") {
		_, prose := blocks(t, document)
		for _, link := range markdownLink.FindAllStringSubmatch(prose, -1) {
			path, anchor, _ := strings.Cut(link[1], "#")
			if strings.Contains(path, "://") {
				continue
			}
			target := filepath.Join("..", document)
			if path != "" {
				target = filepath.Join("..", filepath.Dir(document), path)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %s: %v", document, link[1], err)
			} else if anchor != "" && !anchors(t, target)[anchor] {
				t.Errorf("%s: %s: there is no such heading", document, link[1])
			}
		}
	}
}

// anchors returns the headings of a document as links spell them.
func anchors(t *testing.T, target string) map[string]bool {
	t.Helper()
	_, prose := blocks(t, strings.TrimPrefix(filepath.ToSlash(target), "../"))
	found := map[string]bool{}
	for _, heading := range markdownHeading.FindAllStringSubmatch(prose, -1) {
		word := notInAnchor.ReplaceAllString(strings.ToLower(heading[1]), "")
		found[strings.ReplaceAll(word, " ", "-")] = true
	}
	return found
}

// documentedFile is a path of the repository. NAME stands for a file to be written.
var documentedFile = regexp.MustCompile(
	`^(?:\.ci|auth|bench|cmd|deploy|docs|e2e|hubspot|internal|proxy|session)/[a-z0-9_/.-]+$`)

func TestDocumentedFilesExist(t *testing.T) {
	t.Parallel()
	for _, document := range documents(t) {
		_, prose := blocks(t, document)
		for _, code := range inlineCode.FindAllStringSubmatch(prose, -1) {
			if !documentedFile.MatchString(code[1]) {
				continue
			}
			if _, err := os.Stat(filepath.Join("..", code[1])); err != nil {
				t.Errorf("%s: %v", document, err)
			}
		}
	}
}
