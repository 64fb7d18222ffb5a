package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/internal/command"
)

func TestPagesAddKeepsComments(t *testing.T) {
	t.Parallel()
	for name, rules := range map[string]string{
		"after the last rule": memberRules, "without rules": "", "into an empty list": "  rules: []  # none yet",
		"below an empty key": "  rules:  # none yet",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := portal(t, fakehubspot.Config{Pages: leakyPages}, rules)
			before, _ := os.ReadFile(config)
			_, stdout, stderr := hubgate(t, "pages", "--config", config, "--add", "3,5,2,1")
			after, _ := os.ReadFile(config)
			for _, line := range strings.Split(stdout, "\n") {
				if strings.HasPrefix(line, "3 ") && !strings.Contains(line, " login ") {
					t.Errorf("the table shows the page as it was: %s", line)
				}
			}
			for _, line := range strings.Split(string(before), "\n") {
				line = strings.Replace(strings.TrimPrefix(line, "  rules:"), "[]", "", 1)
				if !strings.Contains(string(after), line) {
					t.Errorf("lost: %q", line)
				}
			}
			if status, _, problems := hubgate(t, "check", "--config", config); status != command.ExitOK ||
				!strings.Contains(string(after), `- path: "/de/mitglieder/**"  # Mitglieder`) {
				t.Errorf("%d %s\n%s\n%s%s", status, problems, after, stdout, stderr)
			}
			if !strings.Contains(string(after), "- path: \"/\"  # Home") { // below the home page is the whole site
				t.Errorf("the home page:\n%s", after)
			}
			if status, _, _ := hubgate(t, "pages", "--config", config, "--add", "999"); status != command.ExitUsage {
				t.Errorf("an unknown page: %d", status)
			}
		})
	}
}

func TestPagesAddFollowsSymlink(t *testing.T) {
	t.Parallel()
	config := portal(t, fakehubspot.Config{Pages: leakyPages}, memberRules)
	link := filepath.Join(t.TempDir(), "link.yaml")
	if err := os.Symlink(config, link); err != nil {
		t.Fatal(err)
	}
	hubgate(t, "pages", "--config", link, "--add", "5")
	info, err := os.Lstat(link)
	after, _ := os.ReadFile(config)
	if err != nil || info.Mode()&os.ModeSymlink == 0 || !strings.Contains(string(after), `- path: "/spring/**"`) {
		t.Errorf("%v %v\n%s", info, err, after)
	}
}
