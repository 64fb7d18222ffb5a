package page

import (
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

// findings is a script that returns a page's accessibility faults: contrast (WCAG 1.4.3), width (1.4.10), size (2.5.8)
// and name (4.1.2) of links and buttons, visible focus (2.4.7), landmarks, headings and language.
const findings = `(() => {
  const found = [];
  const luminance = c => {
    const [r, g, b] = c.map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const rgba = text => (text.match(/[\d.]+/g) || []).map(Number);
  const background = e => {
    for (; e; e = e.parentElement) {
      const c = rgba(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c.slice(0, 3);
    }
    return [255, 255, 255];
  };
  for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const a = luminance(rgba(getComputedStyle(e).color).slice(0, 3)), b = luminance(background(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) found.push('contrast ' + ratio.toFixed(2) + ': ' + e.textContent.trim().slice(0, 40));
  }
  for (const e of document.querySelectorAll('a, button')) {
    const box = e.getBoundingClientRect();
    if (e.closest('.actions') && (box.height < 44 || box.width < 44)) found.push('small: ' + e.textContent);
    if (!e.textContent.trim()) found.push('nameless: ' + e.outerHTML);
    e.focus({focusVisible: true});
    if (getComputedStyle(e).outlineStyle === 'none') found.push('no focus: ' + e.textContent);
  }
  const width = document.documentElement.scrollWidth;
  if (width > innerWidth) found.push('wider than the screen: ' + width);
  for (const name of ['header', 'main', 'footer', 'h1']) {
    if (document.querySelectorAll(name).length !== 1) found.push('not one ' + name);
  }
  if (!document.documentElement.lang || !document.title) found.push('no language or title');
  const main = getComputedStyle(document.querySelector('main'));
  if (main.borderRadius === '0px') found.push('the style sheet does not apply');
  return found;
})()`

func TestPagesAreAccessibleInBrowser(t *testing.T) {
	ctx := chromium.Start(t).Ctx
	pages := newPages(t, Config{SiteName: "Example Academy", Support: "mailto:help@example.com"})
	all := samples()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pages.Write(w, r, all[strings.TrimPrefix(r.URL.Path, "/")])
	}))
	t.Cleanup(server.Close)

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
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(320, 640, chromedp.EmulateMobile)); err != nil {
		t.Fatal(err)
	}
	for _, scheme := range []string{"light", "dark"} {
		media := emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		}
		if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media); err != nil {
			t.Fatal(err)
		}
		for name := range all {
			if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+"/"+name)); err != nil {
				t.Fatal(err)
			}
			found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](findings))
			if err != nil {
				t.Fatal(err)
			}
			for _, finding := range found {
				t.Errorf("%s, %s: %s", name, scheme, finding)
			}
		}
	}
}
