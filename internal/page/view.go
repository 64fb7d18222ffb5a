package page

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
)

// view is what a template gets; its fields are the contract with own templates.
type view struct {
	Lang      string // BCP 47 tag
	Dir       string // ltr or rtl
	Name      string // the page's name, such as not_found: for own templates that treat one page differently
	Icon      string // lock person check compass clock cloud loop list alert
	Mood      string // calm, good or care: how the badge is coloured
	Status    int
	Site      string // the site's name; may be empty on a host that is none of ours
	Logo      string // address of an image, or empty
	Title     string
	Text      string // what happened
	Cause     string // why, or empty
	Next      string // what the visitor can do, or empty
	Forms     []viewForm
	Links     []viewLink
	Framed    bool // the page stands in a frame: its links open outside of it
	Rows      []viewRow
	Tables    []Table
	Support   string // address, or empty
	RequestID string
	Words     map[string]string // reference, contact_support
}

type viewForm struct {
	Label   string
	Action  string
	Fields  []Field
	Primary bool
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
}

// view translates the page for the visitor.
func (p *Pages) view(r *http.Request, pg Page) view {
	tag := p.tag(r)
	c := p.languages[tag]
	values := p.values(r, pg, c)
	t := c.Pages[pg.Name]
	face := faces[pg.Name]
	v := view{
		Lang: tag, Dir: c.Words["direction"], Name: string(pg.Name), Icon: face.icon, Mood: face.mood,
		Status: pg.Status, Site: p.siteName(r), Logo: p.cfg.Logo,
		Title: fill(t.Title, values), Text: fill(t.Text, values), Next: fill(t.Next, values),
		Tables: tameTables(pg.Tables), Support: p.cfg.Support, RequestID: inbound.Of(r).ID,
		Framed: framed(r, pg),
		Words:  map[string]string{"reference": c.Words["reference"], "contact_support": c.Labels[LabelContactSupport]},
	}
	if pg.Cause != "" {
		v.Cause = fill(cmp.Or(c.Causes[causeKey(pg.Name, pg.Cause)], c.Causes[causeKey(pg.Name, anyCause)]), values)
	}
	for i, f := range pg.Forms {
		v.Forms = append(v.Forms, viewForm{Label: c.Labels[f.Label], Action: f.Action, Fields: f.Fields, Primary: i == 0})
	}
	for i, l := range ways(r, pg) {
		v.Links = append(v.Links, viewLink{Label: c.Labels[l.Label], URL: l.URL, Primary: i == 0 && len(pg.Forms) == 0})
	}
	for _, row := range pg.Rows {
		v.Rows = append(v.Rows, c.row(row))
	}
	return v
}

// anyCause stands in the catalogue for the causes of a page that have no sentence of their own.
const anyCause = "*"

// ways are the page's links. A page without any link or button still gets one: a dead end helps nobody.
func ways(r *http.Request, pg Page) []Link {
	if len(pg.Links) > 0 || len(pg.Forms) > 0 || inbound.Of(r).Site == nil {
		return pg.Links
	}
	switch pg.Name {
	case Unavailable, BadGateway, GatewayTimeout:
		if r.Method == http.MethodGet {
			return []Link{{LabelRetry, ""}} // the same address: nothing of the request is written into the page
		}
	}
	return []Link{{LabelHome, "/"}}
}

// face is how a page looks before it is read.
type face struct{ icon, mood string }

var faces = map[Name]face{
	LoginFailed: {"alert", "care"}, LoginRequired: {"lock", "calm"}, NothingSaved: {"alert", "care"}, Forbidden: {"lock", "calm"},
	LoginTooOld: {"clock", "calm"}, Refused: {"alert", "care"}, Loop: {"loop", "care"}, Scheme: {"alert", "care"},
	Misdirected: {"compass", "calm"}, NotFound: {"compass", "calm"}, MethodRefused: {"alert", "care"}, TooLarge: {"alert", "care"},
	TooMany: {"clock", "calm"}, Unavailable: {"cloud", "care"}, Misconfigured: {"alert", "care"}, InternalError: {"alert", "care"},
	BadGateway: {"cloud", "care"}, GatewayTimeout: {"clock", "care"}, SignOut: {"person", "calm"}, SignedOut: {"check", "good"},
	MySession: {"person", "calm"}, TestLogin: {"list", "calm"},
}

// tag is the language of the answer.
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

// wait says a time in words, rounded up.
func (c catalogue) wait(d time.Duration) string {
	n, word := int((d+time.Second-1)/time.Second), "second"
	if n > 90 {
		n, word = (n+59)/60, "minute"
	}
	if n != 1 {
		word += "s"
	}
	return fill(c.Words[word], map[string]string{"n": strconv.Itoa(n)})
}

func (c catalogue) row(row Row) viewRow {
	out := viewRow{Label: c.Labels[row.Label], Value: cmp.Or(tame(row.Value), c.Words["nothing"])}
	if !row.Time.IsZero() {
		out.Value, out.Time = c.time(row.Time), row.Time.UTC().Format(time.RFC3339)
	}
	return out
}

// time is a moment in the language's words. Without a script nobody knows the visitor's zone, so it is UTC and says so.
func (c catalogue) time(t time.Time) string {
	t = t.UTC()
	months := strings.Fields(c.Words["months"])
	month := t.Format("01")
	if len(months) == 12 {
		month = months[t.Month()-1]
	}
	return fill(c.Words["time"], map[string]string{
		"day": strconv.Itoa(t.Day()), "month": month, "year": strconv.Itoa(t.Year()), "clock": t.Format("15:04")})
}

func tameTables(tables []Table) []Table {
	out := make([]Table, 0, len(tables))
	for _, t := range tables {
		shown := Table{Caption: tame(t.Caption), Columns: t.Columns}
		for _, row := range t.Rows {
			cells := make([]string, len(row))
			for i, cell := range row {
				cells[i] = tame(cell)
			}
			shown.Rows = append(shown.Rows, cells)
		}
		out = append(out, shown)
	}
	return out
}

// detail is the page in one line: for the problem's detail.
func (v view) detail() string {
	sentences := []string{v.Title + "."}
	if strings.HasSuffix(v.Title, "?") {
		sentences[0] = v.Title
	}
	for _, text := range []string{v.Text, v.Cause, v.Next} {
		if text != "" {
			sentences = append(sentences, text)
		}
	}
	return strings.Join(sentences, " ")
}
