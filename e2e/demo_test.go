package e2e

import (
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// demo is a running `hubgate demo`.
type demo struct {
	*process
	site, provider, hubspot, admin string
}

func startDemo(t *testing.T, flags ...string) demo {
	t.Helper()
	base := freePorts(t, 4)
	d := demo{
		process: start(t, binary, append([]string{"demo", "--base-port", strconv.Itoa(base)}, flags...)...),
		site:    "http://" + localhost(base), provider: address(base + 1),
		hubspot: address(base + 2), admin: address(base + 3),
	}
	d.waitFor("Ctrl-C stops it")
	return d
}

func TestDemoLogsInAndCreatesAContact(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	if !d.out.contains(d.site + "/members/") {
		t.Errorf("the demo does not print what to open:\n%s", d.out)
	}
	alice := newVisitor(t)
	if home := alice.open(d.site + "/"); home.StatusCode != http.StatusOK {
		t.Fatalf("the public page: %d", home.StatusCode)
	}
	form := alice.open(d.site + "/members/?from=mail&x=a%20b")
	if !strings.HasPrefix(form.Request.URL.String(), d.provider) {
		t.Fatalf("a protected page redirects to %s (%d), not to the provider\n%s",
			form.Request.URL, form.StatusCode, form.body)
	}
	members := alice.login(form, "alice@example.com")
	got := members.Request.URL.String()
	if got != d.site+"/members/?from=mail&x=a%20b" || members.StatusCode != http.StatusOK {
		t.Fatalf("after the login: %d at %s\n%s", members.StatusCode, got, members.body)
	}
	if got := members.Header.Get("Cache-Control"); got != "private, no-store" {
		t.Errorf("a protected page has Cache-Control %q", got)
	}
	if got := alice.open(d.site + "/partners/"); got.StatusCode != http.StatusOK {
		t.Errorf("/partners/ for alice: %d", got.StatusCode)
	}
	eventually(t, "alice is a contact", func() bool {
		return strings.Contains(newVisitor(t).open(d.hubspot+"/contacts").body, "alice@example.com")
	})
	out := alice.submit(alice.open(d.site+"/oauth2/session"), "sign_out", nil)
	if out.Request.URL.String() != d.site+"/oauth2/signed_out" || out.StatusCode != http.StatusOK {
		t.Errorf("after the logout: %d at %s", out.StatusCode, out.Request.URL)
	}
	again := alice.open(d.site + "/members/")
	if !strings.HasPrefix(again.Request.URL.String(), d.provider) || !strings.Contains(again.body, "password") {
		t.Errorf("after the logout, /members/ ends at %s without asking for the password", again.Request.URL)
	}
}

func TestForbiddenPageNamesTheAccount(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	bob := newVisitor(t)
	refused := bob.login(bob.open(d.site+"/partners/"), "bob@example.com")
	if refused.StatusCode != http.StatusForbidden || !strings.Contains(refused.body, "bob@example.com") {
		t.Errorf("/partners/ for bob: %d\n%s", refused.StatusCode, refused.body)
	}
	if got := bob.open(d.site + "/members/"); got.StatusCode != http.StatusOK {
		t.Errorf("/members/ for bob: %d", got.StatusCode)
	}
}

// The logo, the colors and the link for help are the site's.
func TestDemoPagesLookLikeTheSite(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	loggedOut := newVisitor(t).open(d.site + "/oauth2/signed_out")
	for _, part := range []string{
		"Northwind Bicycles", `src="/hubfs/logo.svg"`, "#0f766e", "#5eead4", "mailto:workshop@northwind.example",
	} {
		if !strings.Contains(loggedOut.body, part) {
			t.Errorf("the page has no %s:\n%s", part, loggedOut.body)
		}
	}
	if logo := newVisitor(t).open(d.site + "/hubfs/logo.svg"); logo.StatusCode != http.StatusOK {
		t.Errorf("the logo: %d", logo.StatusCode)
	}
}

// Browsers send no cookie of localhost to 127.0.0.1, so that a login that begins there could not end.
func TestDemoRedirectsToLocalhost(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	byAddress := strings.Replace(d.site, "localhost", "127.0.0.1", 1)
	got := newVisitor(t).open(byAddress + "/pricing?x=a%20b")
	if got.StatusCode != http.StatusOK || got.Request.URL.String() != d.site+"/pricing?x=a%20b" {
		t.Errorf("%s ends with %d at %s", byAddress, got.StatusCode, got.Request.URL)
	}
}

// 127.0.0.2 is another address of this machine, as a container has one.
func TestDemoIsReachableFromOutsideOnlyIfAsked(t *testing.T) {
	t.Parallel()
	reachable := func(url string) bool {
		host := strings.NewReplacer("http://", "", "localhost", "127.0.0.2", "127.0.0.1", "127.0.0.2").Replace(url)
		conn, err := net.DialTimeout("tcp", host, 5*time.Second)
		if err != nil {
			return false
		}
		conn.Close()
		return true
	}
	for _, outside := range []bool{false, true} {
		var flags []string
		if outside {
			flags = []string{"--bind", "0.0.0.0"}
		}
		d := startDemo(t, flags...)
		for _, url := range []string{d.site, d.provider, d.hubspot} {
			if reachable(url) != outside {
				t.Errorf("%v: %s is reachable from outside: %v", flags, url, !outside)
			}
		}
		if reachable(d.admin) {
			t.Errorf("%v: the admin listener is reachable from outside", flags)
		}
		warned := d.out.contains("log in as alice@example.com or\nbob@example.com with the password demo")
		if warned != outside {
			t.Errorf("%v: a warning is printed: %v", flags, warned)
		}
		alice := newVisitor(t)
		if got := alice.login(alice.open(d.site+"/members/"), "alice@example.com"); got.StatusCode != http.StatusOK {
			t.Errorf("%v: the login: %d", flags, got.StatusCode)
		}
	}
}

// Port 8080 is often in use, by the gateway of another terminal.
func TestDemoNamesTheCureForAPortInUse(t *testing.T) {
	t.Parallel()
	base := freePorts(t, 4)
	for port := base; port < base+4; port++ {
		l := listen(t, port)
		status, out := shell(t, t.TempDir(), binary+" demo --base-port "+strconv.Itoa(base))
		if status != 1 || !strings.Contains(out, strconv.Itoa(port)+": bind: address already in use; ") ||
			!strings.Contains(out, "--base-port") {
			t.Errorf("port %d: exit status %d\n%s", port, status, out)
		}
		l.Close()
	}
}

func TestDemoStopsOnSIGTERM(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	if code := d.terminate(); code != 0 {
		t.Errorf("exit status %d", code)
	}
}

func TestAdminListenerRequiresTheToken(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	v := newVisitor(t)
	for path, want := range map[string]int{
		"/metrics": 200, "/livez": 200, "/readyz": 200, "/startupz": 200, "/version": 200,
		"/config": 401, "/api/sessions": 401, "/api/contacts": 401, "/debug/pprof/": 404, "/": 404,
	} {
		if got := v.open(d.admin + path); got.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, got.StatusCode, want)
		}
	}
	if got := v.open(d.site + "/metrics"); strings.Contains(got.body, "hubgate_") {
		t.Error("the public listener serves /metrics")
	}
}

func TestTestPageShowsClaimsButNoTokens(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	alice := newVisitor(t)
	page := alice.login(alice.open(d.site+"/oauth2/test"), "alice@example.com")
	if again := alice.open(d.site + "/oauth2/start?rd=%2Foauth2%2Ftest"); again.Request.URL.Path != "/oauth2/test" {
		t.Errorf("the test is not repeated after a login: %s", again.Request.URL)
	}
	for _, part := range []string{
		"Login works.", "rules are open to you.", `href="/oauth2/start?rd=%2Foauth2%2Ftest"`, "cognito:groups",
		"given_name", "firstname", "token_use", "/partners/**", "email_verified",
	} {
		if !strings.Contains(page.body, part) {
			t.Errorf("the test page does not show %q", part)
		}
	}
	if page.StatusCode != http.StatusOK || strings.Contains(page.body, "eyJ") || strings.Contains(page.body, "rt.") {
		t.Errorf("%d, or the page shows a token:\n%s", page.StatusCode, page.body)
	}
	bob := newVisitor(t)
	bob.login(bob.open(d.site+"/members/"), "bob@example.com")
	if got := bob.open(d.site + "/oauth2/test"); got.StatusCode != http.StatusForbidden {
		t.Errorf("the test page for bob: %d", got.StatusCode)
	}
}

// HubSpot decides: bob is in the demo's list and has the tier, alice is not a customer.
func TestDemoAsksHubSpotWhoMayEnter(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	bob := newVisitor(t)
	page := bob.login(bob.open(d.site+"/customers/"), "bob@example.com")
	if page.StatusCode != http.StatusOK || !strings.Contains(page.body, "list Customers") {
		t.Errorf("/customers/ for bob: %d\n%s", page.StatusCode, page.body)
	}
	if got := bob.open(d.site + "/gold/"); got.StatusCode != http.StatusOK {
		t.Errorf("/gold/ for bob: %d", got.StatusCode)
	}
	alice := newVisitor(t)
	refused := alice.login(alice.open(d.site+"/customers/"), "alice@example.com")
	if refused.StatusCode != http.StatusForbidden || !strings.Contains(refused.body, "lists that have access") {
		t.Errorf("/customers/ for alice: %d\n%s", refused.StatusCode, refused.body)
	}
	if got := alice.open(d.site + "/gold/"); got.StatusCode != http.StatusForbidden {
		t.Errorf("/gold/ for alice: %d", got.StatusCode)
	}
	eventually(t, "the page of people shows alice", func() bool {
		return strings.Contains(newVisitor(t).open(d.hubspot+"/people").body, "alice@example.com")
	})
}
