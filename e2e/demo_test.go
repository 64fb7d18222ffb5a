package e2e

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// demo is a running demo.
type demo struct {
	*process
	site, provider, hubspot, admin string
}

func startDemo(t *testing.T) demo {
	t.Helper()
	base := freePorts(t, 4)
	d := demo{
		process: start(t, binary, "demo", "--base-port", strconv.Itoa(base)),
		site:    "http://localhost:" + strconv.Itoa(base), provider: address(base + 1), hubspot: address(base + 2), admin: address(base + 3),
	}
	d.says("Ctrl-C stops it")
	return d
}

func TestTheDemoTakesAVisitorFromAProtectedPageThroughTheLoginIntoTheContacts(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	if !strings.Contains(d.out.String(), d.site+"/members/") {
		t.Errorf("the demo did not say what to open:\n%s", d.out)
	}
	alice := newVisitor(t)
	if home := alice.open(d.site + "/"); home.StatusCode != http.StatusOK {
		t.Fatalf("the public page answered %d", home.StatusCode)
	}
	form := alice.open(d.site + "/members/?from=mail&x=a%20b")
	if !strings.HasPrefix(form.Request.URL.String(), d.provider) {
		t.Fatalf("a protected page did not lead to the login but to %s (%d)\n%s", form.Request.URL, form.StatusCode, form.body)
	}
	members := alice.login(form, "alice@example.com")
	if got := members.Request.URL.String(); got != d.site+"/members/?from=mail&x=a%20b" || members.StatusCode != http.StatusOK {
		t.Fatalf("after the login: %d at %s\n%s", members.StatusCode, got, members.body)
	}
	if got := members.Header.Get("Cache-Control"); got != "private, no-store" {
		t.Errorf("a protected page has Cache-Control %q", got)
	}
	if got := alice.open(d.site + "/partners/"); got.StatusCode != http.StatusOK {
		t.Errorf("alice gets %d at /partners/", got.StatusCode)
	}
	eventually(t, "alice is a contact", func() bool {
		return strings.Contains(newVisitor(t).open(d.hubspot+"/contacts").body, "alice@example.com")
	})
	out := alice.submit(alice.open(d.site+"/oauth2/session"), "sign_out", nil)
	if out.Request.URL.String() != d.site+"/oauth2/signed_out" || out.StatusCode != http.StatusOK {
		t.Errorf("after the logout: %d at %s", out.StatusCode, out.Request.URL)
	}
	if again := alice.open(d.site + "/members/"); !strings.HasPrefix(again.Request.URL.String(), d.provider) || !strings.Contains(again.body, "password") {
		t.Errorf("after the logout the members' page leads to %s without asking for the password", again.Request.URL)
	}
}

func TestWhoeverIsNotInTheGroupIsToldSoByName(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	bob := newVisitor(t)
	refused := bob.login(bob.open(d.site+"/partners/"), "bob@example.com")
	if refused.StatusCode != http.StatusForbidden || !strings.Contains(refused.body, "bob@example.com") {
		t.Errorf("bob gets %d at /partners/\n%s", refused.StatusCode, refused.body)
	}
	if got := bob.open(d.site + "/members/"); got.StatusCode != http.StatusOK {
		t.Errorf("bob gets %d at /members/", got.StatusCode)
	}
}

func TestTheDemoEndsWhenItIsAskedTo(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	if code := d.terminate(); code != 0 {
		t.Errorf("exit status %d", code)
	}
}

func TestTheAdminListenerKeepsItsSecretsFromWhoeverHasNoToken(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	v := newVisitor(t)
	for path, want := range map[string]int{
		"/metrics": 200, "/livez": 200, "/readyz": 200, "/startupz": 200, "/version": 200,
		"/config": 401, "/api/sessions": 401, "/api/contacts": 401, "/debug/pprof/": 404, "/": 404,
	} {
		if got := v.open(d.admin + path); got.StatusCode != want {
			t.Errorf("%s answers %d, want %d", path, got.StatusCode, want)
		}
	}
	if got := v.open(d.site + "/metrics"); strings.Contains(got.body, "hubgate_") {
		t.Error("the public listener answers /metrics")
	}
}

func TestTheTestPageShowsAnAdminTheirClaimsAndNoToken(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	alice := newVisitor(t)
	alice.login(alice.open(d.site+"/members/"), "alice@example.com")
	page := alice.open(d.site + "/oauth2/test")
	for _, part := range []string{"cognito:groups", "given_name", "firstname", "token_use", "/partners/**", "email_verified"} {
		if !strings.Contains(page.body, part) {
			t.Errorf("the test page lacks %q", part)
		}
	}
	if page.StatusCode != http.StatusOK || strings.Contains(page.body, "eyJ") || strings.Contains(page.body, "rt.") {
		t.Errorf("%d, or it shows a token:\n%s", page.StatusCode, page.body)
	}
	bob := newVisitor(t)
	bob.login(bob.open(d.site+"/members/"), "bob@example.com")
	if got := bob.open(d.site + "/oauth2/test"); got.StatusCode != http.StatusForbidden {
		t.Errorf("bob gets %d", got.StatusCode)
	}
}
