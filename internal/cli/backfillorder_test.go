package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestBackfillNamesBadRowsInTheOrderOfTheFile(t *testing.T) {
	t.Parallel()
	many := slices.Repeat([]string{"%d@example.com"}, 400) // two requests and more
	for _, people := range [][]string{
		{"%d@groups.example", "no address %d"},
		{"no address %d", "%d@groups.example", "%d@example.com", "no address %d", "%d@groups.example"},
		slices.Concat([]string{"%d@groups.example"}, many, []string{"no address %d", "%d@groups.example"}),
	} {
		text, want := "email,email_verified\n", ""
		for i, person := range people {
			text += fmt.Sprintf(person, i) + ",true\n"
			if !strings.HasSuffix(person, "@example.com") {
				want += fmt.Sprintf("line %d: ", i+2)
			}
		}
		file := filepath.Join(t.TempDir(), "people.csv")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, stdout, _ := newImportAPI(t).backfill(file)
		got := ""
		for line := range strings.Lines(stdout) {
			if before, _, found := strings.Cut(line, ": "); found {
				got += before + ": "
			}
		}
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
