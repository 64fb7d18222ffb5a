package cli

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/command"
)

// answering starts an admin API that gives one answer, and returns the flags that lead there.
func answering(t *testing.T, answer any) []string {
	t.Helper()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(api.Close)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"--admin", api.URL, "--token-file", token}
}

func TestContactCommandsExitByWhatTheyFind(t *testing.T) {
	t.Parallel()
	dropped := []outbox.RejectedProperty{{Property: "tier", Reason: "not_an_option", Count: 1}}
	for _, c := range []struct {
		command string
		answer  any
		status  int
	}{
		{"contacts status", outbox.Status{Queued: 5, Delayed: 3, Held: 1}, command.ExitOK},
		{"contacts status", outbox.Status{UnseenClaims: []outbox.UnseenClaim{{Claim: "x"}}}, command.ExitOK},
		{"contacts status", outbox.Status{Dead: 1}, command.ExitFound},
		{"contacts status", outbox.Status{RejectedProperties: dropped}, command.ExitFound},
		{"contacts status -o json", outbox.Status{RejectedProperties: dropped}, command.ExitFound},
		{"contacts status -o json", outbox.Status{}, command.ExitOK},
		{"contacts dead", outbox.DeadPage{}, command.ExitOK},
		{"contacts dead", outbox.DeadPage{Dead: []outbox.DeadLetter{{ID: "1-1"}}}, command.ExitFound},
		{"contacts dead -o json", outbox.DeadPage{Dead: []outbox.DeadLetter{{ID: "1-1"}}}, command.ExitFound},
		{"contacts status", "unexpected", command.ExitFailed},
	} {
		args := append(strings.Fields(c.command), answering(t, c.answer)...)
		if status, stdout, stderr := hubgate(t, args...); status != c.status {
			t.Errorf("%s with %+v: %d\n%s%s", c.command, c.answer, status, stdout, stderr)
		}
	}
}

func TestContactStatusKeepsTheJSONOfTheAPI(t *testing.T) {
	t.Parallel()
	want := outbox.Status{Queued: 1, Held: 2, PausedBecause: "x", UnseenClaims: []outbox.UnseenClaim{{Claim: "a"}}}
	_, stdout, _ := hubgate(t, append([]string{"contacts", "status", "-o", "json"}, answering(t, want)...)...)
	var got outbox.Status
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
