// Package chromium starts a Chromium for a test.
// If none is installed, the test is skipped, unless HUBGATE_TEST_SERVICES contains chromium.
// It opens a tab and nothing more: what the tab loads, and what a test reads there, is the test's.
package chromium

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/hubgate/hubgate/internal/testservice"
)

// limit is the time that a test may use its tab.
const limit = 5 * time.Minute

// Open starts a browser with a profile of its own and opens a tab. Tabs that are opened from its context share the
// profile. The browser stops with the test.
func Open(t testing.TB) context.Context {
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
	return ctx
}
