package config_test

import (
	"os"
	"testing"

	"github.com/hubgate/hubgate/internal/config"
)

func TestLocatePrefersFlagThenEnvironmentThenFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	environment := func(path string) func(string) string {
		return func(name string) string { return map[string]string{config.Variable: path}[name] }
	}
	if at, found := config.Locate("", environment("")); found {
		t.Errorf("in an empty folder: %+v", at)
	}
	if err := os.WriteFile(config.FileName, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		flag, variable string
		want           config.Location
	}{
		{"a.yaml", "b.yaml", config.Location{Path: "a.yaml", From: "--config"}},
		{"", "b.yaml", config.Location{Path: "b.yaml", From: "HUBGATE_CONFIG"}},
		{"", "", config.Location{Path: "hubgate.yaml", From: "the working directory"}},
	} {
		if got, found := config.Locate(c.flag, environment(c.variable)); !found || got != c.want {
			t.Errorf("flag %q, variable %q: %+v %v", c.flag, c.variable, got, found)
		}
	}
}
