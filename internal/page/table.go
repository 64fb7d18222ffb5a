package page

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Table is a table of a page. Caption, columns and findings are in the catalogue.
type Table struct {
	Caption Label
	Columns []Label // a column without any value is not shown
	Rows    [][]Cell
	Folded  bool // behind its caption, because few people need it
}

// Cell is one value of a table: a finding, a time or a text, or a finding that a text belongs to.
type Cell struct {
	// Finding is a word from a closed set. The catalogue has a sentence for COLUMN.FINDING.
	Finding string
	Text    string // shown as it is
	Code    bool   // Text is a name or a message of a machine
	Time    time.Time
}

// Sentence is one sentence of a verdict: the catalogue's finding verdict.FINDING.
type Sentence struct {
	Finding  string
	N, Total int
	Ago      time.Duration
	Bad      bool // something needs attention
}

// verdictColumn has the sentences of verdicts among the catalogue's findings.
const verdictColumn Label = "verdict"

// HasFinding reports whether the catalogue of every language has a sentence for a finding of a column.
func (p *Pages) HasFinding(column Label, finding string) bool {
	return !slices.ContainsFunc(p.tags, func(tag string) bool {
		return p.languages[tag].Findings[findingKey(column, finding)] == ""
	})
}

func findingKey(column Label, finding string) string { return string(column) + "." + finding }

// verdict returns the sentences of a verdict in one line, and whether one of them is bad.
func (c catalogue) verdict(sentences []Sentence) (text string, bad bool) {
	var out []string
	for _, s := range sentences {
		out = append(out, fill(c.Findings[findingKey(verdictColumn, s.Finding)], map[string]string{
			"n": strconv.Itoa(s.N), "total": strconv.Itoa(s.Total), "ago": c.ago(s.Ago)}))
		bad = bad || s.Bad
	}
	return strings.Join(out, " "), bad
}

// viewTable is a table in the visitor's language.
type viewTable struct {
	Caption string
	Columns []string
	Rows    [][]viewCell
	Folded  bool
}

// viewCell is a cell in the visitor's language. A template shows Finding, then Text.
type viewCell struct {
	Finding string
	Text    string
	Code    bool
	Time    string // Text in machine-readable form, or empty
}

// String returns the cell as text. An own page.html that shows cells without their fields keeps working by it.
func (c viewCell) String() string { return strings.TrimSpace(c.Finding + " " + c.Text) }

func (c catalogue) table(t Table) viewTable {
	out := viewTable{Caption: c.Labels[t.Caption], Folded: t.Folded, Rows: make([][]viewCell, len(t.Rows))}
	for i, column := range t.Columns {
		used := func(row []Cell) bool { return row[i] != Cell{} }
		if i > 0 && !slices.ContainsFunc(t.Rows, used) {
			continue
		}
		out.Columns = append(out.Columns, c.Labels[column])
		for k, row := range t.Rows {
			out.Rows[k] = append(out.Rows[k], c.cell(column, row[i]))
		}
	}
	return out
}

func (c catalogue) cell(column Label, cell Cell) viewCell {
	out := viewCell{Text: sanitize(cell.Text), Code: cell.Code && cell.Text != ""}
	if cell.Finding != "" {
		out.Finding = c.Findings[findingKey(column, cell.Finding)]
	}
	if cell.Finding != "" && out.Finding == "" {
		out.Finding = sanitize(cell.Finding)
	}
	if !cell.Time.IsZero() {
		out.Text, out.Time = c.time(cell.Time), cell.Time.UTC().Format(time.RFC3339)
	}
	return out
}

// fact returns the cell as programs read it, in no language.
func (cell Cell) fact() string {
	if !cell.Time.IsZero() {
		return cell.Time.UTC().Format(time.RFC3339)
	}
	return strings.TrimSpace(cell.Finding + " " + sanitize(cell.Text))
}
