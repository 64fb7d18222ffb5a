package cli

import (
	"os"
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
