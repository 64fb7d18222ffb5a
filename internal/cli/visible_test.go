package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
)

const (
	escapes     = "\x1b[2J\u202eevil\a\u009b"
	escapesJSON = `\u001b[2J\u202eevil\u0007\u009b`
)

// checkVisible reports output that a terminal would not print as it is.
func checkVisible(t *testing.T, what string, output ...string) {
	t.Helper()
	for _, line := range strings.Split(strings.Join(output, ""), "\n") {
		if strings.ContainsAny(line, "\x1b\a\u202e\u009b") {
			t.Errorf("%s: %q", what, line)
		}
	}
	if !strings.Contains(strings.Join(output, ""), "evil") {
		t.Errorf("%s shows nothing: %q", what, output)
	}
}

func TestAdminAnswersAreVisible(t *testing.T) {
	t.Parallel()
	const evil = escapesJSON
	for words, c := range map[string]struct{ path, answer string }{
		"contacts status": {"/api/contacts", `{"paused_until":"2026-11-28T10:00:00Z","paused_because":"` + evil + `"}`},
		"contacts queue": {"/api/contacts/queue",
			`{"entries":[{"id":"1","email":"` + evil + `","last_error":"` + evil + `"}]}`},
		"contacts dead":  {"/api/contacts/dead", `{"dead":[{"id":"1-1","email":"` + evil + `","reason":"` + evil + `"}]}`},
		"sessions list":  {"/api/sessions", `{"sessions":[{"id":"1","email":"` + evil + `","host":"` + evil + `"}]}`},
		"sessions end x": {"/api/sessions/x", `{"ended":1,"note":"` + evil + `"}`},
	} {
		for _, output := range []string{"text", "json"} {
			flags := adminAnswers(t, map[string]string{c.path: c.answer})
			_, stdout, stderr := hubgate(t, append(strings.Fields(words+" -o "+output), flags...)...)
			checkVisible(t, words+" as "+output, stdout, stderr)
		}
	}
}

func TestNamesOfHubSpotAreVisible(t *testing.T) {
	t.Parallel()
	const evil = escapes
	config := portal(t, fakehubspot.Config{
		Pages: []fakehubspot.Page{
			{ID: "1" + evil, Name: "x" + evil, Slug: "members/" + evil, CurrentState: "DRAFT" + evil, Kind: "site"},
			{ID: "2", Name: "Members", Slug: "members", CurrentState: "PUBLISHED", Kind: "site", AccessRulesActive: true},
			{ID: "3", Slug: "x", Domain: "other" + evil + ".example.com", CurrentState: "PUBLISHED", Kind: "site",
				TranslatedFrom: "2"},
		},
		Redirects: []fakehubspot.Redirect{{ID: "r", From: "/old" + evil, To: "/members", Style: 305}},
	}, memberRules)
	for _, output := range []string{"text", "json"} {
		_, stdout, stderr := hubgate(t, "pages", "--config", config, "-o", output)
		checkVisible(t, "pages as "+output, stdout, stderr)
	}
}

func TestPeopleFileIsVisible(t *testing.T) {
	t.Parallel()
	config, _ := unready(t, 4711)
	file := filepath.Join(t.TempDir(), "people"+escapes+".csv")
	for about, text := range map[string]string{
		"header": "email,email_verified,x" + escapes + "\nada@example.com,true,1\n",
		"value":  "email,email_verified,given_name\nada@example.com,true,A" + escapes + "\n",
		"row":    "email,email_verified\nada" + escapes + "@x,true\n",
		"file":   "x" + escapes + "mail\n",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, output := range []string{"text", "json"} {
			_, stdout, stderr := hubgate(t, "contacts", "backfill", "--dry-run", "--config", config, "-o", output, file)
			checkVisible(t, about+" as "+output, stdout, stderr, "evil")
		}
	}
	_, _, stderr := hubgate(t, "check", "--config", file+escapes)
	checkVisible(t, "a missing file", stderr)
}

// TestCommandsPrintWithFprintf holds that no text of others reaches a terminal except through visible.
func TestCommandsPrintWithFprintf(t *testing.T) {
	t.Parallel()
	var files []string
	for _, folder := range []string{".", "contacts", "../command"} {
		found, err := filepath.Glob(folder + "/*.go")
		if err != nil || len(found) == 0 {
			t.Fatal(folder, err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") || file == "../command/output.go" {
			continue
		}
		for _, call := range []string{"fmt.Fprint", "fmt.Print"} {
			if strings.Contains(string(text), call) {
				t.Errorf("%s calls %s; use command.Fprintf", file, call)
			}
		}
	}
}
