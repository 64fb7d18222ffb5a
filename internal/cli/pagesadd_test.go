package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
)

// A pattern is decoded like a request's path, so a page's decoded path would protect another page.
func TestPagesAddEncodesPattern(t *testing.T) {
	t.Parallel()
	for slug, pattern := range map[string]string{
		"100%25": "/100%25/**", "sales%20%25/x": "/sales%20%25/x/**", "stra%C3%9Fe": "/straße/**", "a/b": "/a/b/**",
		"50%25%20off": "/50%25%20off/**", "team%20area": "/team area/**",
	} {
		page := fakehubspot.Page{ID: "1", Name: "Page", Slug: slug, CurrentState: "PUBLISHED", Kind: "site"}
		config := portal(t, fakehubspot.Config{Pages: []fakehubspot.Page{page}}, "")
		_, stdout, stderr := hubgate(t, "pages", "--config", config, "--add", "1")
		after, _ := os.ReadFile(config)
		if !strings.Contains(string(after), `- path: "`+pattern+`"`) {
			t.Errorf("%s: want %s\n%s%s%s", slug, pattern, stdout, stderr, after)
		}
		status, stdout, _ := hubgate(t, "explain", "--config", config, "/"+slug)
		if status != exitOK || !strings.Contains(stdout, "login") {
			t.Errorf("%s: %d %s", slug, status, stdout)
		}
	}
}

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
			if status, _, problems := hubgate(t, "check", "--config", config); status != exitOK ||
				!strings.Contains(string(after), `- path: "/de/mitglieder/**"  # Mitglieder`) {
				t.Errorf("%d %s\n%s\n%s%s", status, problems, after, stdout, stderr)
			}
			if !strings.Contains(string(after), "- path: \"/\"  # Home") { // below the home page is the whole site
				t.Errorf("the home page:\n%s", after)
			}
			if status, _, _ := hubgate(t, "pages", "--config", config, "--add", "999"); status != ExitUsage {
				t.Errorf("an unknown page: %d", status)
			}
		})
	}
}

func TestPagesAddLeavesFileUnchanged(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ rules, ids, says string }{
		"flow style": {"  rules: [{path: /a}]", "3", "add them by hand"},
		"a tie": {"  rules:\n    - path: /spring/**\n      access: public\n", "5",
			"the file was not changed"},
		"an exact rule that opens it": {"  rules:\n    - path: /spring\n      access: public\n", "5",
			`would stay public by rule "/spring"`},
		"elsewhere": {memberRules, "7", "not on a public host"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := portal(t, fakehubspot.Config{Pages: leakyPages}, c.rules)
			before, _ := os.ReadFile(config)
			status, _, stderr := hubgate(t, "pages", "--config", config, "--add", c.ids)
			after, _ := os.ReadFile(config)
			if status == exitOK || !strings.Contains(stderr, c.says) || string(before) != string(after) {
				t.Errorf("%d %s\n%s", status, stderr, after)
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(config), ".hubgate-*")); len(left) > 0 {
				t.Error(left)
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
