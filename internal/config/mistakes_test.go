package config_test

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

	"github.com/hubgate/hubgate/internal/cli"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/configtest"
)

var update = flag.Bool("update", false, "write the golden files again; then read every change")

// Each fixture is one mistake and named after it. Its golden file is the output of check.
func TestCheckNamesLineAndCure(t *testing.T) {
	t.Parallel()
	fixtures, err := filepath.Glob("testdata/config/*.yaml")
	if err != nil || len(fixtures) < 60 {
		t.Fatalf("%d fixtures, %v", len(fixtures), err)
	}
	for _, path := range fixtures {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			args := []string{"check", "--config", path}
			code := cli.Run(context.Background(), args, configtest.FixtureEnvironment, &stdout, &stderr)
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

func TestSecretNowReadsFileAgain(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "password")
	secrets := map[string]string{"a": "${file:" + file + "}", "b": "${SECRET}"}
	rep := &config.Report{Path: "hubgate.yaml", Secrets: secrets}
	if got := rep.SecretNow("a", "loaded", configtest.FixtureEnvironment); got != "loaded" {
		t.Errorf("without the file: %q", got)
	}
	if err := os.WriteFile(file, []byte("rotated\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := rep.SecretNow("a", "loaded", configtest.FixtureEnvironment); got != "rotated" {
		t.Errorf("with the file: %q", got)
	}
	if got := rep.SecretNow("b", "loaded", configtest.FixtureEnvironment); got != "loaded" {
		t.Errorf("from the environment: %q", got)
	}
}

func FuzzLoad(f *testing.F) {
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
		cfg, rep := config.Load(path, configtest.FixtureEnvironment)
		complete := cfg.Version == 1 && len(cfg.Server.Sites()) > 0 && cfg.Auth.OpenID().IssuerURL() != "" &&
			len(cfg.Session.Keys) > 0
		if !rep.Failed() && !complete {
			t.Errorf("accepted without required keys: %+v", cfg)
		}
		for _, finding := range rep.Findings {
			if finding.Line < 1 || finding.Col < 1 || finding.Text == "" {
				t.Errorf("a finding without a place or a text: %+v", finding)
			}
		}
	})
}
