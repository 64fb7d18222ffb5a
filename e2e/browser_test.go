package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/hubgate/hubgate/internal/chromium"
)

// tab is one tab of a browser.
type tab struct {
	t   *testing.T
	ctx context.Context
}

func (p tab) open(address string) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, chromedp.Navigate(address)); err != nil {
		p.t.Fatalf("%s: %v", address, err)
	}
}

// script runs JavaScript in the page and returns its result as text, or "" while the page is being replaced.
func (p tab) script(js string) string {
	text, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`String(`+js+`)`))
	if err != nil {
		return ""
	}
	return text
}

// arrives waits until the tab has loaded an address with the given prefix, and returns the address.
func (p tab) arrives(prefix string) string {
	p.t.Helper()
	address := ""
	eventually(p.t, "the tab loads "+prefix, func() bool {
		address = p.script(`document.readyState === 'complete' ? location.href : ''`)
		return strings.HasPrefix(address, prefix)
	})
	return address
}

func (p tab) text() string { return p.script(`document.body.innerText`) }

// login submits the provider's form.
func (p tab) login(user string) {
	p.script(fmt.Sprintf(`(document.querySelector('#username').value = %q,
		document.querySelector('#password').value = 'demo', document.querySelector('form').submit(), '')`, user))
}

func TestBrowserTabsLogInConcurrently(t *testing.T) {
	t.Parallel()
	ctx := chromium.Open(t)
	d := startDemo(t)
	tabs := make([]tab, 10)
	for i := range tabs {
		ctx, cancel := chromedp.NewContext(ctx)
		t.Cleanup(cancel)
		tabs[i] = tab{t, ctx}
		tabs[i].open(fmt.Sprintf("%s/members/?tab=%d", d.site, i))
		tabs[i].arrives(d.provider)
	}
	for i, p := range tabs {
		p.login("alice@example.com")
		if got, want := p.arrives(d.site), fmt.Sprintf("%s/members/?tab=%d", d.site, i); got != want {
			t.Errorf("tab %d ended at %s", i, got)
		}
	}
}

func TestBrowserBackAfterLogoutShowsNothingProtected(t *testing.T) {
	t.Parallel()
	p := tab{t, chromium.Open(t)}
	d := startDemo(t)
	p.open(d.site + "/members/")
	p.arrives(d.provider)
	p.login("alice@example.com")
	p.arrives(d.site + "/members/")
	members := p.text()
	if len(members) < 20 {
		t.Fatalf("the members' page shows %q", members)
	}
	p.open(d.site + "/oauth2/session")
	p.arrives(d.site + "/oauth2/session")
	p.script(`document.querySelector('form[action="/oauth2/sign_out"] button').click()`)
	p.arrives(d.site + "/oauth2/signed_out")
	for range 3 {
		p.script(`history.back()`)
		eventually(t, "a page after going back", func() bool { return p.script(`document.readyState`) == "complete" })
		if p.text() == members {
			t.Errorf("the back button shows the members' page again at %s", p.script(`location.href`))
		}
	}
	p.open(d.site + "/members/")
	p.arrives(d.provider)
}

func TestVisitorWithoutCookiesGetsAnErrorPage(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	v := newVisitor(t)
	v.client.Jar = nil
	form := v.open(d.site + "/members/")
	end := v.login(form, "alice@example.com") // the gateway may try once more
	if strings.HasPrefix(end.Request.URL.String(), d.provider) {
		end = v.login(end, "alice@example.com")
	}
	if end.StatusCode != http.StatusBadRequest || !strings.Contains(end.body, "cookie") {
		t.Errorf("%d at %s\n%s", end.StatusCode, end.Request.URL, end.body)
	}
}
