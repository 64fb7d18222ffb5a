package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestAFolderOfPagesThatDoesNotFitIsFoundByCheck(t *testing.T) {
	t.Parallel()
	_, after, _ := strings.Cut(read(t, "README.md"), "## The smallest working configuration")
	base := yamlBlock.FindStringSubmatch(after)[1]
	for name, test := range map[string]struct{ section, file, text, want string }{
		"it is not there":   {"pages: {folder: nowhere}", "", "", "no such file or directory; mend it, or leave pages.folder out"},
		"a misspelt page":   {"pages: {folder: own}", "own/fr.json", `{"pages":{"notfound":{}}}`, `fr.json: unknown page "notfound"; did you mean "not_found"?; mend it, or leave pages.folder out`},
		"a language of its": {"pages: {folder: own, language: fr}", "own/fr.json", `{}`, ""},
	} {
		dir := t.TempDir()
		if test.file != "" {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, test.file)), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, test.file), []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		file := filepath.Join(dir, "hubgate.yaml")
		if err := os.WriteFile(file, []byte(base+test.section+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, rep := loadConfig(file, documentedEnvironment)
		if got := strings.Join(rep.lines(), "\n"); !strings.HasSuffix(got, test.want) || (got == "") != (test.want == "") {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestAChangedPageIsAChangedConfiguration(t *testing.T) {
	t.Parallel()
	_, after, _ := strings.Cut(read(t, "README.md"), "## The smallest working configuration")
	dir := t.TempDir()
	file, own := filepath.Join(dir, "hubgate.yaml"), filepath.Join(dir, "own")
	if err := os.Mkdir(own, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(yamlBlock.FindStringSubmatch(after)[1]+"pages: {folder: own}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, text := range []string{`{}`, `{"labels":{"home":"Start"}}`, `{"labels":{"home":"Stop"}}`} {
		if err := os.WriteFile(filepath.Join(own, "en.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, rep := loadConfig(file, documentedEnvironment)
		seen[rep.sha256] = true
		if !slices.Contains(rep.files, filepath.Join(own, "en.json")) {
			t.Errorf("the folder is not watched: %v", rep.files)
		}
	}
	if len(seen) != 3 {
		t.Error("a changed page was not noticed")
	}
}
