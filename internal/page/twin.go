package page

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
)

// twin returns the page as JSON: a problem (RFC 9457) for an error status, otherwise the facts that the page shows.
func twin(pg Page, v view) (body []byte, contentType string) {
	if pg.Status >= http.StatusBadRequest {
		problem := Problem{Type: "about:blank", Title: http.StatusText(pg.Status), Status: pg.Status, Detail: v.detail(),
			RequestID: v.RequestID, Cause: pg.Cause, LoginURL: pg.LoginURL}
		return encode(problem), "application/problem+json"
	}
	return encode(newFacts(pg, v)), "application/json"
}

func encode(v any) []byte {
	var out bytes.Buffer
	_ = json.NewEncoder(&out).Encode(v) // only strings and numbers: cannot fail
	return out.Bytes()
}

// facts is the JSON twin of a page that is not an error.
type facts struct {
	Page      Name              `json:"page"`
	Title     string            `json:"title"`
	Detail    string            `json:"detail"`
	RequestID string            `json:"request_id"`
	Facts     map[string]string `json:"facts,omitempty"`
	Tables    []factsTable      `json:"tables,omitempty"`
}

type factsTable struct {
	Caption Label      `json:"caption"`
	Columns []Label    `json:"columns"`
	Rows    [][]string `json:"rows"`
}

func newFacts(pg Page, v view) facts {
	out := facts{Page: pg.Name, Title: v.Title, Detail: v.detail(), RequestID: v.RequestID}
	if len(pg.Rows) > 0 {
		out.Facts = make(map[string]string, len(pg.Rows))
	}
	for i, row := range pg.Rows {
		out.Facts[string(row.Label)] = cmp.Or(v.Rows[i].Time, row.Value)
	}
	for _, t := range pg.Tables {
		out.Tables = append(out.Tables, t.facts())
	}
	return out
}

// facts returns a table in no language: what programs compare must not depend on it.
func (t Table) facts() factsTable {
	out := factsTable{Caption: t.Caption, Columns: t.Columns}
	for _, row := range t.Rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = cell.fact()
		}
		out.Rows = append(out.Rows, cells)
	}
	return out
}
