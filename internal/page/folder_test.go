package page

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFolderReplacesTextsAndStyle(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"fr.json":    `{"pages":{"not_found":{"title":"Il n’y a rien ici"}},"labels":{"home":"Accueil"}}`,
		"en.json":    `{"pages":{"not_found":{"title":"Nothing to see"}}}`,
		"style.css":  `:root { --accent: #b00020; } /* ours */`,
		"..data":     `an entry that Kubernetes makes`,
		".gitignore": ``,
	})
	p := newPages(t, Config{Folder: dir})
	for tag, want := range map[string]string{
		"fr-CA": "Il n’y a rien ici", "en": "Nothing to see", "de": "Seite nicht gefunden",
	} {
		html := body(t, write(t, p, request(t, "GET", "Accept", "text/html", "Accept-Language", tag), Page{Name: NotFound}))
		if !strings.Contains(html, "<h1>"+want+"</h1>") || !strings.Contains(html, "#b00020") {
			t.Errorf("%s:\n%s", tag, withoutStyle(html))
		}
	}
	french := body(t, write(t, p, request(t, "GET", "Accept", "text/html", "Accept-Language", "fr"), Page{Name: NotFound}))
	if !strings.Contains(french, "Accueil") || !strings.Contains(french, "There is no page at this address.") {
		t.Errorf("texts that fr.json lacks are not taken from en:\n%s", withoutStyle(french))
	}
}

func TestFolderReplacesLayout(t *testing.T) {
	t.Parallel()
	const layout = `<!doctype html><style>h1{color:red}</style><h1>`
	dir := folder(t, map[string]string{"page.html": layout + `{{.Title}}</h1>{{.RequestID}}`})
	got := write(t, newPages(t, Config{Folder: dir}), request(t, "GET", "Accept", "text/html"), Page{Name: NotFound})
	if html := body(t, got); html != layout+`Page not found</h1>REQUESTIDREQUESTIDREQUESTI` {
		t.Errorf("%s", html)
	}
}

func TestFolderMayHaveSentenceForVisitorsWhereDetailsAre(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"en.json": `{"causes":{"scheme.scheme":"Our proxy is set up wrongly."}}`})
	pg := Page{Name: Scheme, Cause: "scheme"}
	html := body(t, write(t, newPages(t, Config{Folder: dir}), request(t, "GET", "Accept", "text/html"), pg))
	cause := `<p class="cause">Our proxy is set up wrongly.</p>`
	if !strings.Contains(html, cause) || !strings.Contains(html, "X-Forwarded-Proto") {
		t.Error(withoutStyle(html))
	}
}

func TestFolderLayoutShowsCellsAsText(t *testing.T) {
	t.Parallel()
	const layout = `{{.RequestID}}{{range .Tables}}{{range .Rows}}{{range .}}<td>{{.}}</td>{{end}}{{end}}{{end}}`
	p := newPages(t, Config{Folder: folder(t, map[string]string{"page.html": layout})})
	html := body(t, write(t, p, request(t, "GET", "Accept", "text/html"), testLogin(time.Unix(1e9, 0))))
	for _, want := range []string{"<td>claim given_name</td>", "<td>9 September 2001, 01:46 UTC</td>", "<td></td>"} {
		if !strings.Contains(html, want) {
			t.Errorf("no %s: %s", want, html)
		}
	}
}

func TestFolderErrors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		file, text, want string
	}{
		"a misspelled file": {"pages.html", "",
			"pages: folder: pages.html: unknown file; expected page.html, style.css or LANGUAGE.json " +
				"(such as de.json or pt-br.json)"},
		"not JSON": {"fr.json", "title: x",
			"pages: folder: fr.json: invalid character 'i' in literal true (expecting 'r')"},
		"an unknown page": {"fr.json", `{"pages":{"notfound":{}}}`,
			`pages: folder: fr.json: unknown page "notfound"; did you mean "not_found"?`},
		"an unknown section": {"fr.json", `{"page":{}}`, `pages: folder: fr.json: json: unknown field "page"`},
		"an unknown placeholder": {"fr.json", `{"labels":{"home":"{user}"}}`,
			"pages: folder: fr.json: labels.home: unknown placeholder {user}; use {account}, {method}, {wait}, " +
				"{word}, {count}, {site}, {host}, {n}, {total}, {ago}, {day}, {month}, {year}, {clock}"},
		"a value that may be absent": {"fr.json", `{"pages":{"forbidden":{"text":"Vous êtes {account}"}}}`,
			"pages: folder: fr.json: pages.forbidden.text: {account} may be missing; " +
				"put the words that need it in brackets, such as [ as {account}]"},
		"an unknown field": {"page.html", "{{.Titel}}",
			`pages: template: page.html:1:2: executing "page.html" at <.Titel>: can't evaluate field Titel in type page.view`},
		"a script": {"page.html", "{{.RequestID}}<script>alert(1)</script>",
			`pages: page.html: "<script" is not allowed: pages run no scripts and load nothing but the logo`},
		"a refresh": {"page.html", `{{.RequestID}}<meta http-equiv="refresh" content="0">`,
			`pages: page.html: "http-equiv" is not allowed: pages run no scripts and load nothing but the logo`},
		"a changing style": {"page.html", "{{.RequestID}}<style>h1{width:{{.Status}}px}</style>",
			"pages: page.html: a <style> block differs between pages; it must be constant, because it is allowed by its hash"},
		"without request id": {"page.html", "{{.Title}}",
			"pages: page.html: {{.RequestID}} is missing; it is needed to find a visitor's request in the log"},
		"an oversized file": {"style.css", strings.Repeat(" ", maxFile+1), "larger than 256 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := New(Config{Folder: folder(t, map[string]string{test.file: test.text})})
			if err == nil || !strings.HasSuffix(err.Error(), test.want) {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
	if _, err := New(Config{Folder: filepath.Join(t.TempDir(), "absent")}); err == nil {
		t.Error("a missing folder was accepted")
	}
	const unknown = `pages: unknown language "fr"; use auto, de, en`
	if _, err := New(Config{Language: "fr"}); err == nil || err.Error() != unknown {
		t.Errorf("%v", err)
	}
}
