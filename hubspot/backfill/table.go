package backfill

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hubgate/hubgate/internal/setting"
)

// table is a CSV file (RFC 4180) whose header has the names of claims.
type table struct {
	lines     lines
	claims    []string
	separator byte
	number    int // rows that were read
}

func newTable(r *bufio.Reader, trustEmails bool) (*table, error) {
	t := &table{lines: lines{source: r}}
	header, err := t.header()
	if err == nil && strings.HasPrefix(strings.ToLower(header.text), "sep=") { // the first line of Excel's files
		header, err = t.header()
	}
	if err != nil {
		return nil, err
	}
	t.separator = ','
	t.claims, err = t.split(header, ',')
	for _, separator := range []byte(";\t") {
		if err == nil && slices.Contains(t.claims, "email") {
			break
		}
		if claims, failed := t.split(header, separator); failed == nil && (err != nil || len(claims) > len(t.claims)) {
			t.claims, t.separator, err = claims, separator, nil
		}
	}
	if err != nil {
		return nil, err
	}
	return t, t.checkHeader(header.number, trustEmails)
}

// header returns the first line that is not empty.
func (t *table) header() (line, error) {
	for {
		l, err := t.lines.next()
		if errors.Is(err, io.EOF) {
			return line{}, &FileError{1, "the file is empty", "write a header with the names of claims, and a row per person"}
		}
		if err != nil {
			return line{}, err
		}
		if strings.TrimSpace(l.text) == "" {
			continue
		}
		fault, cure := encodingFault(l.text)
		switch {
		case fault != "":
		case l.tooLong || len(l.text) > maxHeader:
			fault, cure = "the header is too long", "write the names of claims, separated by commas, and a row per person"
		case strings.Contains(l.text, "\r"):
			fault, cure = "lines end with CR only", "save the file with LF or CRLF"
		default:
			return l, nil
		}
		return line{}, &FileError{l.number, fault, cure}
	}
}

// split splits the header.
func (t *table) split(header line, separator byte) ([]string, error) {
	r := record{separator: separator}
	fault, cure := r.add(header.text)
	if fault == "" && r.open {
		fault, cure = openQuote, closeQuote
	}
	if fault != "" {
		return nil, &FileError{header.number, "header: " + fault, cure}
	}
	for i, name := range r.fields {
		r.fields[i] = strings.TrimSpace(name)
	}
	return r.fields, nil
}

func (t *table) checkHeader(number int, trustEmails bool) error {
	for i, name := range t.claims {
		if first := slices.Index(t.claims, name); name != "" && first < i {
			return &FileError{number, fmt.Sprintf("columns %d and %d are both %q", first+1, i+1, setting.Shorten(name)),
				"remove one of them"}
		}
		if name == "" {
			return &FileError{number, fmt.Sprintf("column %d has no name", i+1), "write the name of a claim, or remove it"}
		}
	}
	if !slices.Contains(t.claims, "email") {
		return &FileError{number, "there is no column email", t.emailCure()}
	}
	if !trustEmails && !slices.Contains(t.claims, "email_verified") {
		return &FileError{number, "there is no column email_verified",
			"add it, with true in each row, or use --trust-emails if you know that all addresses are right"}
	}
	return nil
}

// emailCure returns how to get a column email.
func (t *table) emailCure() string {
	for _, name := range t.claims {
		if strings.Contains(strings.ToLower(name), "mail") {
			return fmt.Sprintf("rename the column %q to email", setting.Shorten(name))
		}
	}
	return "the first line must have the names of claims, separated by commas, semicolons or tabs"
}

func (t *table) next() (Row, error) {
	for {
		first, err := t.lines.next()
		if err != nil {
			return Row{}, err
		}
		if strings.TrimSpace(first.text) == "" {
			continue
		}
		fields, fault, cure, err := t.fields(first)
		if err != nil {
			return Row{}, err
		}
		if fault == "" && strings.Join(fields, "") == "" {
			continue // spreadsheets write rows of separators after the last row
		}
		t.number++
		if fault == "" && len(fields) != len(t.claims) {
			fault = fmt.Sprintf("has %s, but the header has %d", setting.Count(len(fields), "field"), len(t.claims))
			cure = "put a field that contains a separator into quotes, and write all fields"
		}
		if fault != "" {
			return Row{}, &RowError{t.number, first.number, fault, cure}
		}
		return Row{t.number, first.number, t.named(fields)}, nil
	}
}

// named returns the fields of a row by claim.
func (t *table) named(fields []string) map[string]string {
	claims := make(map[string]string, len(fields))
	for i, value := range fields {
		claims[t.claims[i]] = strings.TrimSpace(value)
	}
	return claims
}

// fields returns the fields of the row that begins with a line. After a fault, reading goes on with the next line, so
// that one unbalanced quote costs one row, not the rest of the file.
func (t *table) fields(first line) (fields []string, fault, cure string, err error) {
	r, taken, size := record{separator: t.separator}, []line(nil), 0
	for l := first; ; taken = append(taken, l) {
		size += len(l.text) + 1
		if fault, cure = r.addLine(l, size); fault != "" || !r.open {
			break
		}
		if l, err = t.lines.next(); errors.Is(err, io.EOF) {
			fault, cure, err = openQuote, closeQuote, nil
			break
		}
		if err != nil {
			return nil, "", "", err
		}
	}
	if fault != "" {
		t.lines.unread(taken)
	}
	return r.fields, fault, cure, nil
}

func encodingFault(text string) (fault, cure string) {
	switch {
	case strings.Contains(text, "\x00"):
		return "contains a NUL byte", "save the file as UTF-8 text"
	case !utf8.ValidString(text):
		return "is not UTF-8", `save the file as UTF-8; in Excel: "CSV UTF-8"`
	}
	return "", ""
}
