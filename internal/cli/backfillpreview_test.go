package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/internal/command"
)

func TestBackfillDryRunShowsWhatFits(t *testing.T) {
	t.Parallel()
	config, created := unready(t, 4711)
	if status, _, stderr := hubgate(t, "contacts", "setup", "--config", config, "--yes"); status != command.ExitOK {
		t.Fatal(stderr)
	}
	clear(created)
	file := filepath.Join(t.TempDir(), "people.csv")
	text := "email,email_verified,sub,given_name,city\n" +
		"ada@example.com,true,s1,Ada,Berlin\nbob@example.com,true,s2,,\n,,s3,,\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr := hubgate(t, "contacts", "backfill", file, "--config", config, "--dry-run")
	want := []string{
		"line 2: ada@example.com", "  firstname: Ada", "  mail_ok: true", "  portal_sub: s1",
		"line 3: bob@example.com", "  mail_ok: true", "  portal_sub: s2",
		"line 4: no e-mail address; add it, or remove the row",
		"PROPERTY    WRITTEN  LEFT OUT", "circles     0", "firstname   1", "mail_ok     2", "portal_sub  2",
		"seen_at     0", "not mapped to a property: city", "2 rows to send, 1 bad row; nothing was sent",
	}
	var got []string
	for line := range strings.Lines(stdout) {
		got = append(got, strings.TrimRight(line, " \n"))
	}
	if d := cmp.Diff(want, got); d != "" || status != command.ExitFound || len(created) > 0 {
		t.Errorf("%d %s %v %s", status, stderr, created, d)
	}
	for _, args := range [][]string{{"--admin", "http://127.0.0.1:1", "--token-file", file}, {}} {
		args = append([]string{"contacts", "backfill", file, "--dry-run"}, args...)
		if status, _, stderr := hubgate(t, args...); status != command.ExitUsage ||
			!strings.Contains(stderr, "--config FILE") {
			t.Errorf("%v: %d %s", args, status, stderr)
		}
	}
}

func TestBackfillDryRunFailsForValuesThatDoNotFit(t *testing.T) {
	t.Parallel()
	config, _ := unready(t, 4711)
	if status, _, stderr := hubgate(t, "contacts", "setup", "--config", config, "--yes"); status != command.ExitOK {
		t.Fatal(stderr)
	}
	file := filepath.Join(t.TempDir(), "people.csv")
	text := "email,email_verified,cognito:groups\nada@example.com,true,nobody-knows-it\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr := hubgate(t, "contacts", "backfill", file, "--config", config, "--dry-run")
	if status != command.ExitFound || !strings.Contains(stdout,
		"  circles: emptied (no value can be written: not an option of the property)\n") ||
		!strings.Contains(stdout, "circles     1        1: ") {
		t.Errorf("%d %s %s", status, stdout, stderr)
	}
}

func TestBackfillDryRunCountsExcludedPeople(t *testing.T) {
	t.Parallel()
	config, _ := unready(t, 4711)
	if status, _, stderr := hubgate(t, "contacts", "setup", "--config", config, "--yes"); status != command.ExitOK {
		t.Fatal(stderr)
	}
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, "    skip: {email_domains: [staff.example]}\n"...)
	if err := os.WriteFile(config, text, 0o640); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "people.csv")
	people := "email,email_verified\nada@example.com,true\nbob@staff.example,true\neve@staff.example,true\n"
	if err := os.WriteFile(file, []byte(people), 0o600); err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr := hubgate(t, "contacts", "backfill", file, "--config", config, "--dry-run")
	want := "1 row to send, 0 bad rows, 2 skipped (excluded by hubspot.contacts.skip.email_domains); nothing was sent\n"
	if status != command.ExitOK || !strings.HasSuffix(stdout, want) {
		t.Errorf("%d %s %s", status, stdout, stderr)
	}
}
