package page

import (
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "update the golden files of the pages")

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// golden compares got with testdata/NAME, so that reviews show the texts that people read.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (go test -update rewrites it): -want +got\n%s", file, diff)
	}
}

// withoutStyle removes the style sheet, which is the same on every page and is in templates/style.css.
func withoutStyle(html string) string {
	return regexp.MustCompile(`(?s)<style>.*?</style>`).ReplaceAllString(html, "<style></style>")
}

func TestPagesMatchGoldenFiles(t *testing.T) {
	t.Parallel()
	p := newPages(t, Config{SiteName: "Example Academy", Support: "mailto:help@example.com", Logo: "/hubfs/logo.svg"})
	for name, pg := range samples() {
		for _, tag := range []string{"en", "de"} {
			t.Run(name+" "+tag, func(t *testing.T) {
				t.Parallel()
				got := write(t, p, request(t, "GET", "Accept", "text/html", "Accept-Language", tag), pg)
				golden(t, name+"."+tag+".html", withoutStyle(body(t, got)))
			})
		}
	}
}

func TestTwinsMatchGoldenFiles(t *testing.T) {
	t.Parallel()
	p := newPages(t, DefaultConfig())
	for name, pg := range samples() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, name+".json", body(t, write(t, p, request(t, "GET", "Accept", "application/json"), pg)))
		})
	}
}

func TestNamesHaveSampleStatusAndBadge(t *testing.T) {
	t.Parallel()
	all := samples()
	for name := range newPages(t, DefaultConfig()).languages[fallback].Pages {
		if pg, sampled := all[string(name)]; !sampled || pg.Name != name {
			t.Errorf("%s has no sample", name)
		}
		if defaultStatus[name] == 0 || badges[name] == (badge{}) {
			t.Errorf("%s has no status or no badge", name)
		}
	}
	for name, pg := range all {
		if newPages(t, DefaultConfig()).languages[fallback].Pages[pg.Name].Title == "" {
			t.Errorf("%s has no texts", name)
		}
	}
}

func TestLanguagesAreComplete(t *testing.T) {
	t.Parallel()
	complete, err := embedded.ReadFile("catalogue/en.json")
	if err != nil {
		t.Fatal(err)
	}
	want, err := parseCatalogue(complete)
	if err != nil {
		t.Fatal(err)
	}
	files, _ := embedded.ReadDir("catalogue")
	for _, file := range files {
		raw, _ := embedded.ReadFile("catalogue/" + file.Name())
		got, err := parseCatalogue(raw)
		if err != nil {
			t.Fatal(err)
		}
		for place, sentence := range want.sentences() {
			if sentence != "" && got.sentences()[place] == "" {
				t.Errorf("%s has no %s", file.Name(), place)
			}
		}
		if err := got.checkKnown(want); err != nil {
			t.Errorf("%s: %v", file.Name(), err)
		}
	}
}

func TestPagesRunNoScriptAndNeverRedirect(t *testing.T) {
	t.Parallel()
	p := newPages(t, DefaultConfig())
	for name, pg := range samples() {
		html := strings.ToLower(withoutStyle(body(t, write(t, p, request(t, "GET", "Accept", "text/html"), pg))))
		for _, forbidden := range []string{
			"<script", "http-equiv", "javascript:", "<iframe", "<link", " style=", " onclick",
		} {
			if strings.Contains(html, forbidden) {
				t.Errorf("%s contains %s", name, forbidden)
			}
		}
		if strings.Count(html, "<h1>") != 1 || strings.Count(html, "<main>") != 1 {
			t.Errorf("%s lacks exactly one h1 or one main", name)
		}
		failed := write(t, p, request(t, "GET"), pg).StatusCode >= http.StatusBadRequest
		if strings.Contains(html, "requestidrequestidrequesti") != failed {
			t.Errorf("%s is an error: %t, and has a reference: %t", name, failed, !failed)
		}
	}
}
