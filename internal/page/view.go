package page

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
)

// view is the data of a template. Operators' templates rely on its fields.
type view struct {
	Lang      string // BCP 47 tag
	Dir       string // ltr or rtl
	Name      string // the page's name, such as not_found, for templates that treat one page differently
	Icon      string // lock person check compass clock cloud loop list alert
	Mood      string // calm, good or care: the color of the badge
	Status    int
	Site      string // the site's name; may be empty on an unknown host
	Logo      string // address of an image, or empty
	Home      string // address of the home page, or empty on an unknown host
	Title     string
	Text      string // what happened
	Cause     string // why, or empty
	Details   string // what an administrator can do, or empty
	Word      string // the cause as a word for administrators, if no sentence says it
	Next      string // what the visitor can do, or empty
	Forms     []viewForm
	Links     []viewLink
	Framed    bool   // the page is in a frame; its links open outside of it
	Verdict   string // the result of a test, or empty
	Rows      []viewRow
	Tables    []viewTable
	Support   string // address, or empty
	RequestID string
	Words     map[string]string // reference, details, contact_support
}

type viewForm struct {
	Label   string
	Action  string
	Fields  []Field
	Primary bool
	Quiet   bool // less important than all others
}

type viewLink struct {
	Label   string
	URL     string
	Primary bool
}

type viewRow struct {
	Label string
	Value string
	Time  string // machine-readable, or empty
	Left  string // how long until then, or empty
}

// view returns the page in the visitor's language.
func (p *Pages) view(r *http.Request, pg Page) view {
	tag := p.tag(r)
	c := p.languages[tag]
	values := p.values(r, pg, c)
	t := c.Pages[pg.Name]
	badge := badges[pg.Name]
	v := view{
		Lang: tag, Dir: c.Words["direction"], Name: string(pg.Name), Icon: badge.icon, Mood: badge.mood,
		Status: pg.Status, Site: p.siteName(r), Logo: p.cfg.Logo, Home: home(r),
		Title: fill(t.Title, values), Text: fill(t.Text, values), Next: fill(t.Next, values),
		Support: p.cfg.Support, RequestID: inbound.Of(r).ID,
		Framed: framed(r, pg),
		Words: map[string]string{"reference": c.Words["reference"], "details": c.Words["details"],
			"contact_support": c.Labels[LabelContactSupport]},
	}
	v.Cause, v.Details, v.Word = c.cause(pg, values)
	if len(pg.Verdict) > 0 {
		bad := false
		v.Icon, v.Mood = "check", "good"
		if v.Verdict, bad = c.verdict(pg.Verdict); bad {
			v.Icon, v.Mood = "alert", "care"
		}
	}
	// Another account helps less than another try, and people who look at their session are not about to end it.
	formFirst := len(pg.Forms) > 0 && pg.Name != Unavailable && pg.Name != MySession
	for i, f := range pg.Forms {
		v.Forms = append(v.Forms, viewForm{
			Label: c.formLabel(f), Action: f.Action, Fields: f.Fields, Primary: i == 0 && formFirst, Quiet: f.Quiet,
		})
	}
	for i, l := range pageLinks(r, pg) {
		v.Links = append(v.Links, viewLink{Label: c.Labels[l.Label], URL: l.URL, Primary: i == 0 && !formFirst})
	}
	for _, row := range pg.Rows {
		v.Rows = append(v.Rows, c.row(row))
	}
	for _, t := range pg.Tables {
		v.Tables = append(v.Tables, c.table(t))
	}
	return v
}

// cause returns why a page is shown: in a sentence, in one for administrators, and as a word that none of them says.
func (c catalogue) cause(pg Page, values map[string]string) (sentence, details, word string) {
	key := causeKey(pg.Name, pg.Cause)
	sentence, details = c.Causes[key], c.Details[key]
	if general := c.Causes[causeKey(pg.Name, anyCause)]; pg.Cause != "" && sentence == "" && general != "" {
		sentence, word = general, sanitize(pg.Cause)
	}
	return fill(sentence, values), fill(details, values), word
}

// formLabel returns the text of a button.
func (c catalogue) formLabel(f Form) string {
	values := map[string]string{}
	if f.Sessions > 0 {
		values["count"] = c.count(f.Sessions, "session")
	}
	return fill(c.Labels[f.Label], values)
}

// anyCause is the catalogue's key for a page's causes that have no sentence.
const anyCause = "*"

// pageLinks returns the page's links. A page without links and forms gets a link to retry or to the home page.
func pageLinks(r *http.Request, pg Page) []Link {
	if len(pg.Links) > 0 || len(pg.Forms) > 0 || inbound.Of(r).Site == nil {
		return pg.Links
	}
	switch pg.Name {
	case Unavailable, BadGateway, GatewayTimeout:
		if r.Method == http.MethodGet {
			return []Link{{LabelRetry, ""}, {LabelHome, "/"}} // an empty URL is the same address, and copies nothing of it
		}
	}
	return []Link{{LabelHome, "/"}}
}

// badge is the icon of a page and its color.
type badge struct{ icon, mood string }

var badges = map[Name]badge{
	LoginFailed:    {"alert", "care"},
	LoginRequired:  {"lock", "calm"},
	NothingSaved:   {"alert", "care"},
	Forbidden:      {"lock", "calm"},
	LoginTooOld:    {"clock", "calm"},
	Refused:        {"alert", "care"},
	Loop:           {"loop", "care"},
	Scheme:         {"alert", "care"},
	Misdirected:    {"compass", "calm"},
	NotFound:       {"compass", "calm"},
	MethodRefused:  {"alert", "care"},
	TooLarge:       {"alert", "care"},
	TooMany:        {"clock", "calm"},
	Unavailable:    {"cloud", "care"},
	Misconfigured:  {"alert", "care"},
	InternalError:  {"alert", "care"},
	BadGateway:     {"cloud", "care"},
	GatewayTimeout: {"clock", "care"},
	SignOut:        {"person", "calm"},
	SignedOut:      {"check", "good"},
	MySession:      {"person", "calm"},
	TestLogin:      {"list", "calm"},
}

// tag returns the language of the response.
func (p *Pages) tag(r *http.Request) string {
	if p.cfg.Language != auto {
		return p.cfg.Language
	}
	return cmp.Or(language(r, p.tags), fallback)
}

func (p *Pages) values(r *http.Request, pg Page, c catalogue) map[string]string {
	values := make(map[string]string, len(pg.Args)+4)
	for name, value := range pg.Args {
		values[name] = value
	}
	values["host"] = host(r)
	values["site"] = cmp.Or(p.siteName(r), c.Words["this_site"])
	values["word"] = pg.Cause
	if pg.RetryAfter > 0 {
		values["wait"] = c.wait(pg.RetryAfter)
	}
	return values
}

func (c catalogue) row(row Row) viewRow {
	out := viewRow{Label: c.Labels[row.Label], Value: cmp.Or(sanitize(row.Value), c.Words["nothing"])}
	if !row.Time.IsZero() {
		out.Value, out.Time, out.Left = c.time(row.Time), row.Time.UTC().Format(time.RFC3339), c.left(row.Left)
	}
	return out
}

// detail returns the page's texts in one line, for the detail member of the JSON twin.
func (v view) detail() string {
	sentences := []string{v.Title + "."}
	if strings.HasSuffix(v.Title, "?") {
		sentences[0] = v.Title
	}
	for _, text := range []string{v.Verdict, v.Text, v.Cause, v.Next} {
		if text != "" {
			sentences = append(sentences, text)
		}
	}
	return strings.Join(sentences, " ")
}
