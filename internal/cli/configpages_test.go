package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/configtest"
)

func TestCheckLoadsPagesFolder(t *testing.T) {
	t.Parallel()
	base := configtest.Smallest(t)
	for name, test := range map[string]struct{ section, file, text, want string }{
		"missing folder": {"pages: {folder: nowhere}", "", "",
			"no such file or directory; fix it, or remove pages.folder"},
		"misspelled page": {"pages: {folder: own}", "own/fr.json", `{"pages":{"notfound":{}}}`,
			`fr.json: unknown page "notfound"; did you mean "not_found"?; fix it, or remove pages.folder`},
		"own language": {"pages: {folder: own, language: fr}", "own/fr.json", `{}`, ""},
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
		_, rep := config.Load(file, configtest.Environment)
		if got := strings.Join(rep.Lines(), "\n"); !strings.HasSuffix(got, test.want) || (got == "") != (test.want == "") {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestPageChangesConfigHash(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, own := filepath.Join(dir, "hubgate.yaml"), filepath.Join(dir, "own")
	if err := os.Mkdir(own, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(configtest.Smallest(t)+"pages: {folder: own}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, text := range []string{`{}`, `{"labels":{"home":"Start"}}`, `{"labels":{"home":"Stop"}}`} {
		if err := os.WriteFile(filepath.Join(own, "en.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, rep := config.Load(file, configtest.Environment)
		seen[rep.SHA256] = true
		if !slices.Contains(rep.Files, filepath.Join(own, "en.json")) {
			t.Errorf("the file in the folder is not watched: %v", rep.Files)
		}
	}
	if len(seen) != 3 {
		t.Error("a changed page was not noticed")
	}
}
