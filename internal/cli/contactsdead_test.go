package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/command"
)

// letters starts an admin API with the dead letters 1-1 and 2-2, and returns the flags for it.
func letters(t *testing.T) []string {
	t.Helper()
	dead := map[string]bool{"1-1": true, "2-2": true}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ IDs []string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		n := 0
		for _, id := range in.IDs {
			if dead[id] {
				n++
			}
			delete(dead, id)
		}
		fmt.Fprintf(w, `{"dropped":%d}`, n)
	}))
	t.Cleanup(api.Close)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"--admin", api.URL, "--token-file", token}
}

func TestContactsDeadDropNamesUnknownIDs(t *testing.T) {
	t.Parallel()
	for ids, want := range map[string]struct {
		status         int
		stdout, stderr string
	}{
		"1-1 foo-1": {command.ExitFound, "1 dead letter removed\n", "no such dead letter: foo-1;"},
		"1-1 3-3 2-2 4-4 -o json": {
			command.ExitFound, "{\n  \"dropped\": 2,\n  \"unknown\": [\n    \"3-3\",\n    \"4-4\"\n  ]\n}\n", "3-3, 4-4",
		},
		"foo":         {command.ExitFailed, "", "no such dead letter;"},
		"1-1 2-2 1-1": {command.ExitOK, "2 dead letters removed\n", ""},
	} {
		args := append([]string{"contacts", "dead", "--drop"}, strings.Fields(ids)...)
		status, stdout, stderr := hubgate(t, append(args, letters(t)...)...)
		if status != want.status || stdout != want.stdout || !strings.Contains(stderr, want.stderr) {
			t.Errorf("%s: %d %q %q", ids, status, stdout, stderr)
		}
	}
}

func TestContactsForgetSaysWhenNothingWasFound(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		`{}`:               "Nothing was found for ada@example.com; check the spelling.",
		`{"records":1}`:    "removed 0 queued logins, 0 dead letters, 1 record,",
		`{"unreadable":2}`: "not searched: 2 queued logins",
	} {
		flags := adminAnswers(t, map[string]string{"/api/contacts/forget": answer})
		status, stdout, _ := hubgate(t, append([]string{"contacts", "forget", "ada@example.com"}, flags...)...)
		if status != command.ExitOK || !strings.Contains(stdout, want) || !strings.Contains(stdout,
			"forget ada@example.com --allow") {
			t.Errorf("%s: %d %q", answer, status, stdout)
		}
	}
}
