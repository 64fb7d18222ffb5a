package schema

import (
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the generated files again; then read every change")

func TestFilesAreThoseOfTheGenerator(t *testing.T) {
	t.Parallel()
	encoded, err := json.MarshalIndent(JSON(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]byte{
		"../../config.example.yaml": Example(), "../../config.schema.json": append(encoded, '\n'),
	} {
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), string(got)); d != "" {
			t.Errorf("%s differs; go test ./internal/schema -update writes it: -generator +file\n%s", path, d)
		}
	}
}
