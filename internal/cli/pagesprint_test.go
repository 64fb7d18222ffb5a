package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/internal/command"
)

func TestPagesPrintsLeaksFirst(t *testing.T) {
	t.Parallel()
	config := portal(t, fakehubspot.Config{
		Pages:     leakyPages,
		Redirects: []fakehubspot.Redirect{{ID: "r", From: "/old", To: "/members", Style: http.StatusMovedPermanently}},
	}, memberRules)
	status, stdout, _ := hubgate(t, "pages", "--config", config)
	want := `LEAK feed /blog/secret: /blog/rss.xml is public and shows protected posts
LEAK listing /blog/secret: /blog/ is public and shows protected posts
LEAK translation /members: its translation /de/mitglieder is public
LEAK dynamic /rows: the pages of its table, below /rows/, are public; protect /rows/**

8 pages: 3 public, 4 login, 1 elsewhere; 4 leaks (origin not asked; use --probe)

Pages, with the rules of CONFIG:
ID  KIND     DECISION   RULE                    IN HUBSPOT  ADDRESS
1   site     public     proxy.default                       /
6   post     login      /blog/secret (line 10)              /blog/secret
3   site     public     proxy.default                       /de/mitglieder
2   site     login      /members (line 9)       members     /members
8   site     login      /partners (line 12)     password    /partners
4   site     login      /rows (line 11)         dynamic     /rows
5   landing  public     proxy.default                       /spring
7   site     elsewhere                                      https://other.example.com/x
redirect 301 from /old (public) into /members
`
	if d := cmp.Diff(want, strings.ReplaceAll(stdout, config, "CONFIG")); d != "" || status != command.ExitFound {
		t.Error(status, d)
	}
}

func TestPagesFitsTerminal(t *testing.T) {
	t.Parallel()
	long := "members/" + strings.Repeat("a-very-long-name/", 12)
	pages := []fakehubspot.Page{{ID: "1", Slug: long, CurrentState: "PUBLISHED", Kind: "site"}}
	for _, slug := range []string{"members/handbook", "partners/price-list", "blog/a-wheel-in-an-evening"} {
		pages = append(pages, fakehubspot.Page{
			ID: "188412345678", Slug: slug, URL: "http://localhost:8080/" + slug, CurrentState: "PUBLISHED_OR_SCHEDULED",
			Kind: "landing", Password: "x", TableID: "7",
		})
	}
	config := portal(t, fakehubspot.Config{Pages: pages}, memberRules)
	_, stdout, _ := hubgate(t, "pages", "--config", config)
	for line := range strings.Lines(stdout) {
		if strings.HasPrefix(line, "188412345678") && len(line) > 120 {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
	if !strings.Contains(stdout, long) {
		t.Error("a long address was cut")
	}
}

func TestPagesFilters(t *testing.T) {
	t.Parallel()
	config := portal(t, fakehubspot.Config{Pages: leakyPages}, memberRules)
	const counts = "8 pages: 3 public, 4 login, 1 elsewhere; 4 leaks"
	for name, c := range map[string]struct {
		flags []string
		want  []string // the addresses in the table
	}{
		"leaks only": {[]string{"--leaks-only"}, nil},
		"public":     {[]string{"--decision", "public"}, []string{"/", "/de/mitglieder", "/spring"}},
		"elsewhere":  {[]string{"--decision=elsewhere"}, []string{"https://other.example.com/x"}},
		"refuse":     {[]string{"--decision=refuse"}, nil},
	} {
		status, stdout, _ := hubgate(t, append([]string{"pages", "--config", config}, c.flags...)...)
		_, table, _ := strings.Cut(stdout, "ADDRESS\n")
		var got []string
		for line := range strings.Lines(table) {
			fields := strings.Fields(line)
			got = append(got, fields[len(fields)-1])
		}
		if d := cmp.Diff(c.want, got); d != "" || status != command.ExitFound || !strings.Contains(stdout, counts) {
			t.Errorf("%s: %d %s\n%s", name, status, d, stdout)
		}
		_, stdout, _ = hubgate(t, append([]string{"pages", "--config", config, "-o", "json"}, c.flags...)...)
		var result struct {
			Pages     []struct{ Address string } `json:"pages"`
			Leaks     []any                      `json:"leaks"`
			Decisions map[string]int             `json:"decisions"`
		}
		if err := json.Unmarshal([]byte(stdout), &result); err != nil || result.Pages == nil ||
			len(result.Pages) != len(c.want) || len(result.Leaks) != 4 || result.Decisions["public"] != 3 {
			t.Errorf("%s: %v %s", name, err, stdout)
		}
	}
	status, _, stderr := hubgate(t, "pages", "--config", config, "--decision", "open")
	if status != command.ExitUsage || !strings.Contains(stderr, `one of public, login, refuse, elsewhere, not "open"`) {
		t.Error(status, stderr)
	}
}

// refusing returns a wrapper that refuses calls of a path as HubSpot does when the key lacks a scope.
func refusing(part, scope string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.Contains(r.URL.Path, part) {
				next.ServeHTTP(w, r)
				return
			}
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintf(w, `{"message":"no","errors":[{"message":"m","context":{"requiredGranularScopes":[%q]}}]}`, scope)
		})
	}
}

// What was not checked is not "0 leaks".
func TestPagesNamesWhatItDidNotCheck(t *testing.T) {
	t.Parallel()
	for part, c := range map[string]struct{ path, scope string }{
		"redirects":     {"/url-redirects/", "content"},
		"posts":         {"/posts", "content.blog.read"},
		"landing pages": {"/landing-pages", "content.landing_pages.read"},
		"site pages":    {"/site-pages", "content.site_pages.read"},
	} {
		config := portal(t, fakehubspot.Config{
			Wrap: refusing(c.path, c.scope), Pages: []fakehubspot.Page{{ID: "1", Slug: "x", Kind: "site"}},
		}, "")
		status, stdout, _ := hubgate(t, "pages", "--config", config, "--leaks-only")
		want := "NOT CHECKED " + part + ": 403 no (missing scopes: " + c.scope + "); add the scope " + c.scope +
			" to the key (HubSpot: Development, Keys, Service keys)\n"
		if !strings.HasPrefix(stdout, want) || status != command.ExitFound ||
			!strings.HasSuffix(stdout, "0 leaks (origin not asked; use --probe); not checked: "+part+"\n") {
			t.Errorf("%d %s\nwant %s", status, stdout, want)
		}
		_, stdout, _ = hubgate(t, "pages", "--config", config, "-o", "json")
		var result struct {
			NotChecked []struct {
				Part   string
				Scopes []string
				Cure   string
			} `json:"not_checked"`
		}
		if err := json.Unmarshal([]byte(stdout), &result); err != nil || len(result.NotChecked) != 1 ||
			result.NotChecked[0].Part != part || result.NotChecked[0].Scopes[0] != c.scope ||
			!strings.Contains(result.NotChecked[0].Cure, c.scope) {
			t.Errorf("%v %s", err, stdout)
		}
	}
}

func TestPagesThatCannotAskFails(t *testing.T) {
	t.Parallel()
	for name, wrap := range map[string]func(http.Handler) http.Handler{
		"no scope":    refusing("/", "content"),
		"not HubSpot": func(http.Handler) http.Handler { return http.NotFoundHandler() },
		"a web page": func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") })
		},
	} {
		config := portal(t, fakehubspot.Config{Wrap: wrap}, "")
		status, stdout, stderr := hubgate(t, "pages", "--config", config)
		if status != command.ExitFailed || stdout != "" || !strings.HasPrefix(stderr, "hubgate: hubspot: list site pages: ") {
			t.Errorf("%s: %d %s%s", name, status, stdout, stderr)
		}
	}
	absent := filepath.Join(t.TempDir(), "none.yaml")
	if status, _, _ := hubgate(t, "pages", "--config", absent); status != command.ExitUsage {
		t.Errorf("no file: %d", status)
	}
}

// A missing key is a mistake in the file, not a failure of HubSpot.
func TestMissingTokenIsAMistake(t *testing.T) {
	t.Parallel()
	config := portal(t, fakehubspot.Config{}, "")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(strings.Replace(string(text), "access_token: pat-x, ", "", 1))
	if err := os.WriteFile(config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, words := range [][]string{{"pages"}, {"pages", "-o", "json"}, {"contacts", "setup"}} {
		status, stdout, stderr := hubgate(t, append(words, "--config", config)...)
		if status != command.ExitUsage || stdout != "" || !strings.Contains(stderr, "access_token") {
			t.Errorf("%s: %d %s%s", words, status, stdout, stderr)
		}
	}
}
