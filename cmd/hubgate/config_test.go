package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew; then read every change")

// testEnv is the environment of the fixtures.
func testEnv(name string) string {
	return map[string]string{
		"SECRET": "s3cr3tvalue", "TOKEN": "pat-na1-x", "KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", "EMPTY": "",
	}[name]
}

// Each fixture is one mistake, named after it; beside it stands everything that check says.
func TestEveryMistakeIsNamedWithItsLineAndItsCure(t *testing.T) {
	t.Parallel()
	fixtures, err := filepath.Glob("testdata/config/*.yaml")
	if err != nil || len(fixtures) < 60 {
		t.Fatalf("%d fixtures, %v", len(fixtures), err)
	}
	for _, path := range fixtures {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			code := run(context.Background(), []string{"check", "--config", path}, testEnv, &stdout, &stderr)
			got := "exit status " + strconv.Itoa(code) + "\n" + strings.ReplaceAll(stderr.String(), "testdata/config/", "")
			golden := strings.TrimSuffix(path, ".yaml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestASecretFromAFileIsReadAgainAndASecretThatIsGoneStaysAsItWas(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "password")
	rep := &report{path: "hubgate.yaml", secrets: map[string]string{"a": "${file:" + file + "}", "b": "${SECRET}"}}
	if got := rep.secretNow("a", "loaded", testEnv); got != "loaded" {
		t.Errorf("without the file: %q", got)
	}
	if err := os.WriteFile(file, []byte("rotated\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := rep.secretNow("a", "loaded", testEnv); got != "rotated" {
		t.Errorf("with the file: %q", got)
	}
	if got := rep.secretNow("b", "loaded", testEnv); got != "loaded" {
		t.Errorf("from the environment: %q", got)
	}
}

func FuzzLoadingNeverPanicsAndNeverServesWhatItReported(f *testing.F) {
	fixtures, err := filepath.Glob("testdata/config/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range fixtures {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("? {a: b}\n: c\n<<: {x: y}\n"))
	path := filepath.Join(f.TempDir(), "c.yaml")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, rep := loadConfig(path, testEnv)
		if !rep.failed() && (cfg.Version != 1 || len(cfg.Server.sites()) == 0 || cfg.Auth.IssuerURL() == "" || len(cfg.Session.Keys) == 0) {
			t.Errorf("served without what it needs: %+v", cfg)
		}
		for _, finding := range rep.findings {
			if finding.line < 1 || finding.col < 1 || finding.text == "" {
				t.Errorf("a finding without a place or a text: %+v", finding)
			}
		}
	})
}
