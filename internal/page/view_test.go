package page

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTimeLeftIsRounded(t *testing.T) {
	t.Parallel()
	languages := newPages(t, DefaultConfig()).languages
	for d, want := range map[time.Duration][2]string{
		-time.Second:                    {"", ""},
		time.Second:                     {"about a minute left", "noch etwa eine Minute"},
		80 * time.Second:                {"about a minute left", "noch etwa eine Minute"},
		119 * time.Minute:               {"about 119 minutes left", "noch etwa 119 Minuten"},
		2 * time.Hour:                   {"about 2 hours left", "noch etwa 2 Stunden"},
		11*time.Hour + 59*time.Minute:   {"about 12 hours left", "noch etwa 12 Stunden"},
		48 * time.Hour:                  {"about 2 days left", "noch etwa 2 Tage"},
		30*24*time.Hour - 2*time.Second: {"about 30 days left", "noch etwa 30 Tage"},
	} {
		if en, de := languages["en"].left(d), languages["de"].left(d); en != want[0] || de != want[1] {
			t.Errorf("%s: %q, %q", d, en, de)
		}
	}
}

func TestUnavailablePagesOfferTheHomePage(t *testing.T) {
	t.Parallel()
	p := newPages(t, DefaultConfig())
	for _, pg := range []Page{
		{Name: BadGateway, Cause: "dial"}, {Name: GatewayTimeout, Cause: "timeout"}, {Name: Unavailable, Cause: "store"},
	} {
		html := body(t, write(t, p, request(t, http.MethodGet, "Accept", "text/html"), pg))
		retry := strings.Index(html, `<a href="" class="primary">Try again</a>`)
		home := strings.Index(html, `<a href="/">Home page</a>`)
		if retry < 0 || home < retry {
			t.Errorf("%s: try again at %d, home page at %d", pg.Name, retry, home)
		}
		html = body(t, write(t, p, request(t, http.MethodPost, "Accept", "text/html"), pg))
		if strings.Contains(html, "Try again") || !strings.Contains(html, `<a href="/" class="primary">Home page</a>`) {
			t.Errorf("%s answers a form with a link that does not send it again:\n%s", pg.Name, withoutStyle(html))
		}
	}
}

// TestUnavailablePagesSayNothingTwice finds long words that title, text and cause share: they would say the same.
func TestUnavailablePagesSayNothingTwice(t *testing.T) {
	t.Parallel()
	for tag, c := range newPages(t, DefaultConfig()).languages {
		for key, cause := range c.Causes {
			name, _, _ := strings.Cut(key, ".")
			if !slices.Contains([]Name{BadGateway, GatewayTimeout, Unavailable}, Name(name)) {
				continue
			}
			seen := map[string]bool{}
			for _, sentence := range []string{c.Pages[Name(name)].Title, c.Pages[Name(name)].Text, cause} {
				for _, word := range strings.Fields(strings.ToLower(sentence)) {
					if word = strings.Trim(word, ".,"); len(word) > 6 && seen[word] {
						t.Errorf("%s %s: %q twice", tag, key, word)
					}
					seen[word] = true
				}
			}
		}
	}
}

func TestHeaderLeadsHome(t *testing.T) {
	t.Parallel()
	p := newPages(t, Config{SiteName: "Example Academy"})
	r := request(t, http.MethodGet, "Accept", "text/html")
	const link = `<a href="/"><span>Example Academy</span></a>`
	if html := body(t, write(t, p, r, Page{Name: NotFound})); !strings.Contains(html, link) {
		t.Errorf("no %s:\n%s", link, withoutStyle(html))
	}
	unknown := r.Clone(t.Context()) // without the site
	if html := body(t, write(t, p, unknown, Page{Name: Misdirected})); strings.Contains(html, "<a ") {
		t.Errorf("a link on an unknown host:\n%s", withoutStyle(html))
	}
}

func TestVerdictDecidesTheBadge(t *testing.T) {
	t.Parallel()
	p := newPages(t, DefaultConfig())
	for _, bad := range []bool{false, true} {
		pg := Page{Name: TestLogin, Verdict: []Sentence{
			{Finding: "login"}, {Finding: "contact_dead", Ago: 3 * time.Hour, Bad: bad}}}
		html := body(t, write(t, p, request(t, http.MethodGet, "Accept", "text/html", "Accept-Language", "de"), pg))
		want := map[bool]string{false: `<body class="good">`, true: `<body class="care">`}[bad]
		const verdict = "Die Anmeldung funktioniert. HubSpot hat den Kontakt vor 3 h nicht angenommen."
		if !strings.Contains(html, want) || !strings.Contains(html, verdict) {
			t.Errorf("bad: %t:\n%s", bad, withoutStyle(html))
		}
	}
}

func TestTimeAgoHasNoSingular(t *testing.T) {
	t.Parallel()
	languages := newPages(t, DefaultConfig()).languages
	for d, want := range map[time.Duration][2]string{
		-time.Second: {"0 s ago", "vor 0 s"}, 119 * time.Second: {"119 s ago", "vor 119 s"},
		2 * time.Minute: {"2 min ago", "vor 2 min"}, 47 * time.Hour: {"47 h ago", "vor 47 h"},
		49 * time.Hour: {"2 days ago", "vor 2 Tagen"},
	} {
		if en, de := languages["en"].ago(d), languages["de"].ago(d); en != want[0] || de != want[1] {
			t.Errorf("%s: %q, %q", d, en, de)
		}
	}
}

func TestEmptyColumnsAreNotShown(t *testing.T) {
	t.Parallel()
	c := newPages(t, DefaultConfig()).languages["en"]
	table := Table{Caption: "rules", Columns: []Label{"rule", "paths", "open"},
		Rows: [][]Cell{{{Text: "a"}, {}, {}}, {{Text: "b"}, {}, {Finding: "new_reason"}}}}
	got := c.table(table)
	if strings.Join(got.Columns, ", ") != "Rule, Open to you" || got.Rows[1][1].Finding != "new_reason" {
		t.Errorf("%+v", got)
	}
	if facts := table.facts(); len(facts.Columns) != 3 || len(facts.Rows[0]) != 3 {
		t.Errorf("programs get other columns: %+v", facts)
	}
}

func TestEnglishPagesSpellWordsOneWay(t *testing.T) {
	t.Parallel()
	text, err := embedded.ReadFile("catalogue/en.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{"e-mail", "E-mail", "sign in", "Sign in"} {
		if strings.Contains(string(text), other) {
			t.Errorf("%q: write email, log in", other)
		}
	}
}
