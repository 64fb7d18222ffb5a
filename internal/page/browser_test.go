package page

import (
	"context"
	_ "embed"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"

	"github.com/hubgate/hubgate/internal/chromium"
)

// findingsScript is a script that returns a page's accessibility faults: contrast (WCAG 1.4.3, 1.4.11), width (1.4.10),
// text size (1.4.4), target size (2.5.8) and name (4.1.2) of links and buttons, visible focus (2.4.7), focus order
// (2.4.3), motion (2.3.3), landmarks, headings (1.3.1) and language (3.1.1).
//
//go:embed testdata/findings.js
var findingsScript string

// browser is a tab that loads samples of pages.
type browser struct {
	t   *testing.T
	ctx context.Context
	url string
}

// look is how a visitor sees a page.
type look struct {
	scheme, motion, language string
	width                    int64
}

// serveSamples starts a browser and a server of all samples.
func serveSamples(t *testing.T, ctx context.Context, cfg Config) browser {
	t.Helper()
	pages, all := newPages(t, cfg), samples()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if pg, found := all[strings.TrimPrefix(r.URL.Path, "/")]; found {
			own := request(t, http.MethodGet, "Accept", "text/html", "Accept-Language", r.URL.Query().Get("language"))
			pages.Write(w, own, pg)
			return
		}
		w.Header().Set("Content-Type", "image/svg+xml")
		_, _ = w.Write([]byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 40"></svg>`))
	}))
	t.Cleanup(server.Close)
	return browser{t, ctx, server.URL}
}

// tab starts a browser that reports what the pages' own policy blocks.
func tab(t *testing.T) context.Context {
	t.Helper()
	ctx := chromium.Start(t).Ctx
	if err := chromedp.Listen(ctx, func(event any) {
		if entry, ok := event.(*log.EventEntryAdded); ok && strings.Contains(entry.Entry.Text, "Content Security Policy") {
			t.Error(entry.Entry.Text)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	focus := emulation.SetFocusEmulationEnabledParams{Enabled: true}
	if _, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, focus); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// use sets how the following pages are seen.
func (b browser) use(l look) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.EmulateViewport(l.width, 640, chromedp.EmulateMobile)); err != nil {
		b.t.Fatal(err)
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: l.scheme}, {Name: "prefers-reduced-motion", Value: l.motion},
	}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
		b.t.Fatal(err)
	}
}

// check loads a page and reports its faults. The script is called with an option, such as "{fontSize: '200%'}".
func (b browser) check(name string, l look, option string) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.Navigate(b.url+"/"+name+"?language="+l.language)); err != nil {
		b.t.Fatal(err)
	}
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string]("("+findingsScript+")("+option+")"))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, finding := range found {
		b.t.Errorf("%s, %+v: %s", name, l, finding)
	}
}

func TestPagesAreAccessibleInBrowser(t *testing.T) {
	ctx := tab(t)
	own := Config{SiteName: "Example Academy", Support: "mailto:help@example.com", Logo: "/logo.svg"}
	plain := serveSamples(t, ctx, Config{Support: "mailto:help@example.com"})
	own.Accent = "#fc0" // hardly seen on light pages, and black text on it
	yellow := serveSamples(t, ctx, own)
	own.Accent, own.AccentDark = "#b00020", "#123" // hardly seen on dark pages
	dark := serveSamples(t, ctx, own)
	for _, pass := range []struct {
		browser
		look
	}{
		{plain, look{"light", "no-preference", "en", 320}}, {plain, look{"dark", "reduce", "de", 320}},
		{yellow, look{"light", "no-preference", "de", 320}}, {yellow, look{"dark", "no-preference", "en", 1280}},
		{dark, look{"light", "reduce", "en", 1280}}, {dark, look{"dark", "no-preference", "de", 320}},
	} {
		pass.use(pass.look)
		for name := range samples() {
			pass.check(name, pass.look, "{}")
		}
	}
}

// TestPagesReflowAtEveryWidth looks for what is wider than the screen, also with letters of twice the size.
func TestPagesReflowAtEveryWidth(t *testing.T) {
	b := serveSamples(t, tab(t), Config{SiteName: "Example Academy", Logo: "/logo.svg"})
	for _, width := range []int64{320, 480, 640, 641, 832, 833, 1024} {
		l := look{"light", "no-preference", "de", width}
		b.use(l)
		for _, name := range []string{"test_login", "my_session", "refused"} {
			b.check(name, l, "{}")
			b.check(name, l, "{fontSize: '200%'}")
		}
	}
}
