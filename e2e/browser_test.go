package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/hubgate/hubgate/internal/chromium"
)

func TestBrowserTabsLogInConcurrently(t *testing.T) {
	t.Parallel()
	first := chromium.Start(t)
	d := startDemo(t)
	tabs := make([]chromium.Tab, 10)
	for i := range tabs {
		ctx, cancel := chromedp.NewContext(first.Ctx)
		t.Cleanup(cancel)
		tabs[i] = chromium.Tab{T: t, Ctx: ctx}
		tabs[i].Open(fmt.Sprintf("%s/members/?tab=%d", d.site, i))
		tabs[i].Arrives(d.provider)
	}
	for i, p := range tabs {
		p.LogIn("alice@example.com")
		if got, want := p.Arrives(d.site), fmt.Sprintf("%s/members/?tab=%d", d.site, i); got != want {
			t.Errorf("tab %d ended at %s", i, got)
		}
	}
}

func TestBrowserBackAfterLogoutShowsNothingProtected(t *testing.T) {
	t.Parallel()
	p := chromium.Start(t)
	d := startDemo(t)
	p.Open(d.site + "/members/")
	p.Arrives(d.provider)
	p.LogIn("alice@example.com")
	p.Arrives(d.site + "/members/")
	members := p.Script(`document.body.innerText`)
	if len(members) < 20 {
		t.Fatalf("the members' page shows %q", members)
	}
	p.Open(d.site + "/oauth2/session")
	p.Arrives(d.site + "/oauth2/session")
	p.Script(`document.querySelector('form[action="/oauth2/sign_out"] button').click()`)
	p.Arrives(d.site + "/oauth2/signed_out")
	for range 3 {
		p.Script(`history.back()`)
		eventually(t, "a page after going back", func() bool { return p.Script(`document.readyState`) == "complete" })
		if p.Script(`document.body.innerText`) == members {
			t.Errorf("the back button shows the members' page again at %s", p.Script(`location.href`))
		}
	}
	p.Open(d.site + "/members/")
	p.Arrives(d.provider)
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
