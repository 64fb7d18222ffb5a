package cli

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// adminAnswers starts an admin API with one answer for each path, and returns the flags for it.
func adminAnswers(t *testing.T, answers map[string]string) []string {
	t.Helper()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(answers[r.URL.Path]))
	}))
	t.Cleanup(api.Close)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"--admin", api.URL, "--token-file", token}
}

func TestListsPrintTimesInUTC(t *testing.T) {
	t.Parallel()
	const at = "2026-02-03T04:05:06+02:00"
	for words, answer := range map[string]struct{ path, body string }{
		"contacts queue": {"/api/contacts/queue", `{"entries":[{"id":"1-1","queued_at":"` + at + `"}]}`},
		"contacts dead":  {"/api/contacts/dead", `{"dead":[{"id":"1-1","last_at":"` + at + `"}]}`},
		"sessions list":  {"/api/sessions", `{"sessions":[{"id":"5e","created_at":"` + at + `"}]}`},
	} {
		flags := adminAnswers(t, map[string]string{answer.path: answer.body})
		_, stdout, stderr := hubgate(t, append(strings.Fields(words), flags...)...)
		if !strings.Contains(stdout, "2026-02-03 02:05:06 UTC") {
			t.Errorf("%s: %s%s", words, stdout, stderr)
		}
	}
}
