package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/configtest"
)

// Secrets that are here are checked in the same way, whether they are needed or not.
func TestLoadWithoutSecretsReportsTheSameIfTheyAreHere(t *testing.T) {
	t.Parallel()
	fixtures, err := filepath.Glob("testdata/config/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	absent := 0
	for _, path := range fixtures {
		cfg, with := config.Load(path, configtest.FixtureEnvironment)
		with.AddFiles(cfg)
		cfg, without := config.LoadWithoutSecrets(path, configtest.FixtureEnvironment)
		without.AddFiles(cfg)
		if len(without.Absent) > 0 {
			absent++
			continue
		}
		if d := cmp.Diff(with.Lines(), without.Lines()); d != "" || with.SHA256 != without.SHA256 {
			t.Errorf("%s: %s", path, d)
		}
	}
	if absent == 0 || absent > 20 {
		t.Errorf("%d of %d fixtures lack secrets", absent, len(fixtures))
	}
}

func TestLoadWithoutSecretsChecksTheRest(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "hubgate.yaml")
	if err := os.WriteFile(path, []byte(configtest.Smallest(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, rep := config.LoadWithoutSecrets(path, func(string) string { return "" })
	want := []string{"auth.client_secret", "session.keys[0]", "hubspot.access_token"}
	if len(rep.Findings) > 0 || !slices.Equal(rep.Absent, want) || rep.SHA256 != "" {
		t.Errorf("%q, absent: %q, hash %q", rep.Lines(), rep.Absent, rep.SHA256)
	}
	complete, _ := config.Load(path, configtest.Environment)
	if cfg.Auth.ClientSecret == "" || cfg.HubSpot.AccessToken == "" || len(cfg.Session.Keys) != 1 {
		t.Error("a secret that is not here does not count as present")
	}
	if changes, err := config.Diff(complete, cfg, strings.NewReader("/members/a\n")); err != nil || len(changes) > 0 {
		t.Errorf("%v %v", changes, err)
	}
	_, rep = config.Load(path, func(string) string { return "" })
	if rep.Errors() != 3 {
		t.Errorf("with secrets: %q", rep.Lines())
	}
}
