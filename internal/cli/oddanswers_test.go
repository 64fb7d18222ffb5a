package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/command"
)

func TestImpossibleImportAnswerIsRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "people.csv")
	people := "email,email_verified\nada@example.com,true\nbob@example.com,true\n"
	if err := os.WriteFile(file, []byte(people), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, answer := range []string{
		`{"rows":-1,"retry":1}`, `{"rows":3}`, `{"rows":2,"queued":-9223372036854775808}`, `{"rows":2,"repeated":3}`,
		`{"rows":1,"retry":-1}`, `{"rows":2,"skipped":[{"row":1},{"row":2},{"row":3}]}`, `null`,
	} {
		flags := adminAnswers(t, map[string]string{
			"/api/contacts/import": answer, "/version": `{"go_version":"go1.25"}`,
		})
		status, stdout, stderr := hubgate(t, append([]string{"contacts", "backfill", file}, flags...)...)
		if status != command.ExitFailed || !strings.Contains(stderr, command.ErrUnexpectedResponse.Error()) {
			t.Errorf("%s: %d %s%s", answer, status, stdout, stderr)
		}
	}
}

func TestListThatNeverEndsIsRefused(t *testing.T) {
	t.Parallel()
	const status = `{"dead":1000000000}`
	for words, answers := range map[string]map[string]string{
		"sessions list --limit 1000000":        {"/api/sessions": `{"sessions":[],"next":"a"}`},
		"sessions list --user ada@example.com": {"/api/sessions": `{"sessions":[],"next":"b"}`},
		"contacts replay --all": {"/api/contacts": status, "/api/contacts/dead": `{"dead":[{"id":"1-1"}]}`,
			"/api/contacts/replay": `{"replayed":1}`},
	} {
		code, stdout, stderr := hubgate(t, append(strings.Fields(words), adminAnswers(t, answers)...)...)
		if code != command.ExitFailed || !strings.Contains(stderr, command.ErrUnexpectedResponse.Error()) {
			t.Errorf("%s: %d %s%s", words, code, stdout, stderr)
		}
	}
}
