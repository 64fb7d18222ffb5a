package contacts

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/hubspot/backfill"
)

func TestBackfillReadsStandardInput(t *testing.T) {
	t.Parallel()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(write, "email\nada@example.com\n")
	write.Close()
	file, err := openPeopleFile("-", read, true)
	if err != nil {
		t.Fatal(err)
	}
	defer file.close()
	var rows []int
	for range 2 {
		if err := file.each(rowNumbers(&rows), nil); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(rows, []int{1, 1}) {
		t.Error(rows)
	}
	if _, err := os.Stat(file.file.Name()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is left behind if the process is killed: %v", file.file.Name(), err)
	}
}

func TestBackfillNoticesAChangedFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(path, []byte("email,email_verified\nada@example.com,true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := openPeopleFile(path, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	defer file.close()
	var rows []int
	if err := file.each(rowNumbers(&rows), nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("email,email_verified\neve@example.com,true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := file.each(rowNumbers(&rows), nil); err == nil || !strings.Contains(err.Error(), "was changed") {
		t.Error(err)
	}
}

// rowNumbers returns a function that collects the numbers of rows.
func rowNumbers(rows *[]int) func(backfill.Row) error {
	return func(row backfill.Row) error {
		*rows = append(*rows, row.Number)
		return nil
	}
}
