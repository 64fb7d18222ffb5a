package backfill

import (
	"fmt"
	"strings"
)

// record splits a row into fields, line by line.
type record struct {
	separator byte
	fields    []string
	open      bool            // the last line ended inside a quoted field
	field     strings.Builder // the quoted field
}

const (
	openQuote  = "a quote is never closed"
	closeQuote = `close it, and write "" for a quote inside of quotes`
)

// addLine splits the next line of the row, which then has size bytes, or returns its fault.
func (r *record) addLine(l line, size int) (fault, cure string) {
	if l.tooLong || size > maxRow {
		return fmt.Sprintf("longer than %d KiB", maxRow>>10), "close its quotes, or shorten its values"
	}
	if fault, cure := encodingFault(l.text); fault != "" {
		return fault, cure
	}
	return r.add(l.text)
}

// add splits the next line of the row, or returns its fault.
func (r *record) add(text string) (fault, cure string) {
	if r.open {
		r.field.WriteByte('\n')
	}
	for {
		if !r.open && !strings.HasPrefix(text, `"`) {
			value, rest, more := strings.Cut(text, string(r.separator))
			if strings.Contains(value, `"`) {
				return "a quote inside of a field without quotes", `put the field into quotes, and write "" for the quote`
			}
			r.fields = append(r.fields, value)
			if !more {
				return "", ""
			}
			text = rest
			continue
		}
		if !r.open {
			r.open, text = true, text[1:]
		}
		rest, closed := r.addQuoted(text)
		if !closed {
			return "", ""
		}
		if rest != "" && rest[0] != r.separator {
			return "text after a closing quote", closeQuote
		}
		r.open = false
		r.fields = append(r.fields, r.field.String())
		r.field.Reset()
		if rest == "" {
			return "", ""
		}
		text = rest[1:]
	}
}

// addQuoted adds text to the quoted field until its closing quote, and returns what follows that.
func (r *record) addQuoted(text string) (rest string, closed bool) {
	for {
		before, after, found := strings.Cut(text, `"`)
		r.field.WriteString(before)
		if !found {
			return "", false
		}
		if !strings.HasPrefix(after, `"`) {
			return after, true
		}
		r.field.WriteByte('"')
		text = after[1:]
	}
}
