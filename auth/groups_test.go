package auth

import (
	"net/http"
	"strings"
	"testing"
)

func TestGroupsInOneStringAreSplit(t *testing.T) {
	t.Parallel()
	p := newIssuer(t)
	p.claims = func(c map[string]any) { c["groups"] = "[staff, partner]" }
	got, w := finishNew(t, p, nil)
	if got.StatusCode != http.StatusFound {
		t.Fatalf("%d", got.StatusCode)
	}
	b := w.browser()
	b.jar.SetCookies(mustParse(t, w.gateway.URL), got.Cookies())
	if page := b.step(w.gateway.URL + "/members/"); page.body != "page for  in staff,partner" {
		t.Errorf("%d %s", page.StatusCode, page.body)
	}
}

func TestGroupsClaimOfUnusableTypeIsLoggedOnce(t *testing.T) {
	t.Parallel()
	for kind, claim := range map[string]any{
		"a list with an object in it": []any{map[string]any{"name": "secret-staff"}},
		"a list with a number in it":  []any{"staff", 7},
		"a list with a list in it":    []any{[]any{"secret-staff"}},
		"an object":                   map[string]any{"secret-staff": true},
		"a number":                    7,
		"a boolean":                   true,
		"":                            []any{"staff", ""},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			p := newIssuer(t)
			p.claims = func(c map[string]any) { c["groups"] = claim }
			w := newWorld(t, func(w *world) { w.cfg.Issuer, w.cfg.Logout, w.cfg.GroupsClaim = p.URL, "local", "groups" })
			for range 3 {
				if got := w.finish(p); got.StatusCode != http.StatusFound {
					t.Errorf("%d", got.StatusCode)
				}
			}
			log, lines := w.log.String(), 1
			if kind == "" {
				lines = 0
			}
			if strings.Count(log, "groups claim ignored") != lines || strings.Contains(log, "secret-staff") ||
				kind != "" && !strings.Contains(log, kind) || lines == 1 && !strings.Contains(log, "name=groups") {
				t.Errorf("log:\n%s", log)
			}
		})
	}
}
