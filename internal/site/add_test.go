package site

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
)

func add(t *testing.T, path, id string) (Result, error) {
	t.Helper()
	request := Request{Path: path, Getenv: noEnvironment, Add: []string{id}, Report: func(string) {}}
	return Survey(t.Context(), request)
}

// A pattern is decoded like a request's path, so a page's decoded path would protect another page.
func TestAddEncodesPattern(t *testing.T) {
	t.Parallel()
	for slug, pattern := range map[string]string{
		"100%25": "/100%25/**", "sales%20%25/x": "/sales%20%25/x/**", "stra%C3%9Fe": "/straße/**", "a/b": "/a/b/**",
		"50%25%20off": "/50%25%20off/**", "team%20area": "/team area/**",
	} {
		path := portal(t, fakehubspot.Config{Pages: []fakehubspot.Page{published("1", slug)}}, "")
		result, err := add(t, path, "1")
		if err != nil {
			t.Errorf("%s: %v", slug, err)
			continue
		}
		after, _ := os.ReadFile(path)
		if !strings.Contains(string(after), `- path: "`+pattern+`"`) {
			t.Errorf("%s: want %s\n%s", slug, pattern, after)
		}
		if len(result.Added) != 1 || result.Added[0] != pattern || result.Pages[0].Decision != "login" {
			t.Errorf("%s: %q, and the page is %s", slug, result.Added, result.Pages[0].Decision)
		}
	}
}

func TestAddLeavesFileUnchanged(t *testing.T) {
	t.Parallel()
	elsewhere := published("7", "x")
	elsewhere.Domain = "other.example.com"
	pages := []fakehubspot.Page{published("3", "de/mitglieder"), published("5", "spring"), elsewhere}
	for name, c := range map[string]struct{ rules, id, want string }{
		"flow style":   {"  rules: [{path: /a}]", "3", "add them by hand"},
		"a tie":        {"  rules:\n    - path: /spring/**\n      access: public\n", "5", "the file was not changed"},
		"elsewhere":    {"  rules:\n    - path: /a/**\n", "7", "not on a public host"},
		"no such page": {"  rules:\n    - path: /a/**\n", "999", `no page with the ID "999"`},
		"an exact rule that opens it": {"  rules:\n    - path: /spring\n      access: public\n", "5",
			`would stay public by rule "/spring"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := portal(t, fakehubspot.Config{Pages: pages}, c.rules)
			before, _ := os.ReadFile(path)
			_, err := add(t, path, c.id)
			after, _ := os.ReadFile(path)
			if err == nil || !strings.Contains(err.Error(), c.want) || string(before) != string(after) {
				t.Errorf("%v\n%s", err, after)
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".hubgate-*")); len(left) > 0 {
				t.Error(left)
			}
		})
	}
}

// Without hosts, a rule would protect the path on the other hosts too.
func TestAddNamesHostOfSeveral(t *testing.T) {
	t.Parallel()
	page := func(id, slug, domain, url string) fakehubspot.Page {
		p := published(id, slug)
		p.Domain, p.URL = domain, url
		return p
	}
	pages := []fakehubspot.Page{
		page("1", "a", "", "https://www.example.com/a"), page("2", "a", "shop.example.com", ""),
		page("3", "b", "", "https://SHOP.example.com:443/b"), page("4", "", "shop.example.com", ""), page("5", "c", "", ""),
	}
	for id, c := range map[string]struct{ lines, open string }{
		"1": {"    - path: \"/a/**\"  # Page 1\n      hosts: [\"www.example.com\"]\n", "2"},
		"2": {"    - path: \"/a/**\"  # Page 2\n      hosts: [\"shop.example.com\"]\n", "1"},
		"3": {"    - path: \"/b/**\"  # Page 3\n      hosts: [\"shop.example.com\"]\n", "1"},
		"4": {"    - path: \"/\"  # Page 4\n      hosts: [\"shop.example.com\"]\n", "1"},
		"5": {"    - path: \"/c/**\"  # Page 5\n", "1"}, // HubSpot does not state its domain: on all
	} {
		path := portal(t, fakehubspot.Config{Pages: pages}, "  rules:\n    - path: /members/**\n")
		before, _ := os.ReadFile(path)
		text := strings.Replace(string(before), `"http://localhost:8080"`,
			`"https://www.example.com", "https://shop.example.com"]
  trusted_proxies: [private`, 1)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		result, err := add(t, path, id)
		after, _ := os.ReadFile(path)
		if want := strings.Replace(text, "/members/**\n", "/members/**\n"+c.lines, 1); err != nil || string(after) != want {
			t.Errorf("%s: %v\n%s", id, err, after)
		}
		for _, p := range result.Pages {
			if p.ID == id && p.Decision != "login" || p.ID == c.open && p.Decision != "public" {
				t.Errorf("%s: page %s is %s", id, p.ID, p.Decision)
			}
		}
	}
}
