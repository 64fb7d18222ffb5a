package page

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestUntrustedTextIsEscapedAndCapped(t *testing.T) {
	t.Parallel()
	p := newPages(t, DefaultConfig())
	for name, account := range map[string]string{
		"markup":              `<script>alert(1)</script><a href="https://evil.example">`,
		"placeholder":         "{site}{host}[",
		"backwards":           "abc\u202Egro.live@moc",
		"line ends":           "a\r\nSet-Cookie: x=y",
		"broken UTF-8":        "\xff\xfe",
		"too long for a name": strings.Repeat("ä", 5000),
	} {
		pg := Page{Name: Forbidden, Args: map[string]string{"account": account}}
		html := body(t, write(t, p, request(t, "GET", "Accept", "text/html"), pg))
		lower := strings.ToLower(html)
		if strings.Contains(lower, "<script") || strings.Contains(lower, `href="https://evil`) ||
			strings.ContainsRune(html, '\u202E') || strings.Contains(html, "\r") || !utf8.ValidString(html) ||
			strings.Count(html, "ä") > argCap || !strings.Contains(html, "You are logged in as ") {
			t.Errorf("%s was not sanitized:\n%s", name, withoutStyle(html))
		}
	}
	html := body(t, write(t, p, request(t, "GET", "Accept", "text/html"), Page{Name: Forbidden}))
	if !strings.Contains(html, "You are logged in, but") {
		t.Error("the sentence without an account is wrong")
	}
}

func FuzzWriteAcceptHeaders(f *testing.F) {
	f.Add("text/html,application/xhtml+xml;q=0.9", "de-CH, fr;q=0.9, *;q=0.5")
	f.Add("text/html;q=0.001;q=2", "-;q=1,,;;")
	f.Add(strings.Repeat("a/b,", 500), strings.Repeat("x-", 300))
	p, err := New(DefaultConfig())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, accept, languages string) {
		r := request(t, "GET")
		r.Header.Set("Accept", accept)
		r.Header.Set("Accept-Language", languages)
		got := write(t, p, r, Page{Name: NotFound})
		tag := got.Header.Get("Content-Language")
		if got.StatusCode != 404 || (tag != "en" && tag != "de") {
			t.Fatalf("%d %q", got.StatusCode, tag)
		}
	})
}

func FuzzFill(f *testing.F) {
	f.Add("You are[ as {account}] in {site}.", "bob@example.com")
	f.Add("[{account}{method}]", "{account}")
	f.Add("]{[}", "\u202e[")
	f.Fuzz(func(t *testing.T, sentence, value string) {
		got := fill(sentence, map[string]string{"account": value, "site": value})
		if utf8.ValidString(sentence) && !utf8.ValidString(got) {
			t.Fatalf("%q", got)
		}
		brackets := strings.Contains(sentence, "[") && strings.ContainsAny(got, "[]")
		if checkSentence(sentence) == nil && !strings.Contains(sentence, "{") && brackets {
			t.Fatalf("%q has brackets: %q", sentence, got)
		}
		if n := utf8.RuneCountInString(sanitize(value)); n > argCap+1 {
			t.Fatalf("%d characters", n)
		}
	})
}

func FuzzParseCatalogue(f *testing.F) {
	f.Add([]byte(`{"pages":{"not_found":{"title":"Nada"}}}`))
	f.Add([]byte(`{"causes":{"loop.host":"{unknown}"}} {}`))
	f.Fuzz(func(_ *testing.T, raw []byte) {
		if c, err := parseCatalogue(raw); err == nil {
			_ = c.checkKnown(c)
		}
	})
}
