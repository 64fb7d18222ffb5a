// Package chromium starts a Chromium for a test.
// If none is installed, the test is skipped, unless HUBGATE_TEST_SERVICES contains chromium.
// It does not know the gateway: what a tab loads, and what a test reads there, is the test's.
package chromium

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/hubgate/hubgate/internal/testservice"
)

// limit is the time that a test may use its tab.
const limit = 5 * time.Minute

// Start starts a browser with a profile of its own and opens a tab. Tabs that are opened from its context
// share the profile. The browser stops with the test.
func Start(t testing.TB) Tab {
	t.Helper()
	path := testservice.Need(t, "chromium", "chromium")
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, limit)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	return Tab{t, ctx}
}

// Tab is a tab of a browser, which the context belongs to.
type Tab struct {
	T   testing.TB
	Ctx context.Context
}

// Open loads an address.
func (p Tab) Open(address string) {
	p.T.Helper()
	if err := chromedp.Do(p.Ctx, chromedp.Navigate(address)); err != nil {
		p.T.Fatalf("%s: %v", address, err)
	}
}

// Script runs JavaScript in the page and returns its result as text, or "" while the page is being replaced.
func (p Tab) Script(js string) string {
	text, err := chromedp.Run(p.Ctx, chromedp.Evaluate[string](`String(`+js+`)`))
	if err != nil {
		return ""
	}
	return text
}

// Arrives waits until the tab has loaded an address with the given prefix, and returns the address.
func (p Tab) Arrives(prefix string) string {
	p.T.Helper()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for last := ""; ; {
		select {
		case <-look.C:
		case <-p.Ctx.Done():
			p.T.Fatalf("at %s, want %s", last, prefix)
		}
		var loaded bool
		if last, loaded = strings.CutPrefix(p.Script(`document.readyState + ' ' + location.href`), "complete "); loaded &&
			strings.HasPrefix(last, prefix) {
			return last
		}
	}
}

// LogIn submits the form of fakecognito.
func (p Tab) LogIn(user string) {
	p.Script(fmt.Sprintf(`(document.querySelector('#username').value = %q,
		document.querySelector('#password').value = 'demo', document.querySelector('form').submit(), '')`, user))
}
