package contacts

import (
	"bytes"
	"slices"

	"github.com/hubgate/hubgate/internal/command"
	"github.com/hubgate/hubgate/internal/setting"
)

// shownRows is the number of rows of each kind that are printed as text. A file may have a million.
const shownRows = 20

// rowReport prints rows as they are found: as JSON all of them, as text the first ones and how many more there are.
type rowReport struct {
	env    *command.Env
	before func()       // called before a row is printed as text
	after  func() error // prints the totals as text
	kinds  []string
	counts map[string]int
}

// begun reports whether something was printed.
func (r *rowReport) begun() bool { return len(r.kinds) > 0 }

// add prints a row. kind is a singular noun; text is visible.
func (r *rowReport) add(kind string, row any, text string) {
	if !slices.Contains(r.kinds, kind) {
		r.kinds = append(r.kinds, kind)
	}
	if r.env.Output == "json" {
		r.addJSON(row)
	} else if r.counts[kind] < shownRows {
		if r.before != nil {
			r.before()
		}
		command.Fprintln(r.env.Stdout, command.Lines(text))
	}
	r.counts[kind]++
}

func (r *rowReport) addJSON(row any) {
	begin := ",\n    "
	if len(r.counts) == 0 {
		begin = "{\n  \"rows\": [\n    "
	}
	encoded, _ := command.EncodeJSON(row, "") // texts and numbers only
	_, _ = r.env.Stdout.Write(append([]byte(begin), bytes.TrimSuffix(encoded, []byte("\n"))...))
}

// end prints what follows the rows: as JSON the members of an object, as text how many rows were not shown.
func (r *rowReport) end(summary any) error {
	if r.env.Output != "json" {
		for _, kind := range r.kinds {
			if more := r.counts[kind] - shownRows; more > 0 {
				command.Fprintf(r.env.Stdout, "and %s; --output json shows all\n", setting.Count(more, "more "+kind))
			}
		}
		if r.after == nil {
			return nil
		}
		return r.after()
	}
	encoded, err := command.EncodeJSON(summary, "  ")
	if err != nil {
		return err
	}
	begin := "{\n  \"rows\": []"
	if r.begun() {
		begin = "\n  ]"
	}
	_, err = r.env.Stdout.Write(append([]byte(begin+","), bytes.TrimPrefix(encoded, []byte("{"))...))
	return err
}
