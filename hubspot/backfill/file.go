package backfill

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Limits of a file. A row with the names of its claims must fit into a request to the admin API, of 1 MiB, even if JSON
// escapes each character.
const (
	maxRow    = 128 << 10
	maxHeader = 16 << 10
	MaxRows   = 1_000_000
)

// Row is a person who can be imported.
type Row struct {
	Number int // of the person in the file, from 1
	Line   int
	Claims map[string]string
}

// RowError is why a person cannot be imported.
type RowError struct {
	Number int    `json:"row"` // 0 if it is about the whole list
	Line   int    `json:"line"`
	Fault  string `json:"fault"`
	Cure   string `json:"cure"`
}

func (e *RowError) Error() string { return fmt.Sprintf("line %d: %s; %s", e.Line, e.Fault, e.Cure) }

// FileError is why a file cannot be read, or not be read on from a line.
type FileError struct {
	Line        int
	Fault, Cure string
}

func (e *FileError) Error() string { return fmt.Sprintf("line %d: %s; %s", e.Line, e.Fault, e.Cure) }

// Reader reads a file.
type Reader struct {
	people people
	checks checks
}

// people is a file of one of the formats.
type people interface {
	// next returns the next person, who may have no claims. Errors are io.EOF, *RowError, *FileError, and those of the
	// source.
	next() (Row, error)
}

const utf8Mark = "\xEF\xBB\xBF"

// NewReader reads the beginning of a file. With trustEmails, addresses count as verified.
func NewReader(source io.Reader, trustEmails bool) (*Reader, error) {
	r := bufio.NewReaderSize(source, 64<<10)
	begin, err := r.Peek(len(utf8Mark))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if bytes.HasPrefix(begin, []byte("\xFF\xFE")) || bytes.HasPrefix(begin, []byte("\xFE\xFF")) {
		return nil, &FileError{1, "the file is UTF-16", `save it as UTF-8; in Excel: "CSV UTF-8"`}
	}
	if string(begin) == utf8Mark {
		_, _ = r.Discard(len(utf8Mark)) // was peeked
	}
	reader := &Reader{checks: newChecks(trustEmails)}
	if begin, _ = r.Peek(1); string(begin) == "{" || string(begin) == "[" {
		reader.people, err = newUserList(r)
	} else {
		reader.people, err = newTable(r, trustEmails)
	}
	return reader, err
}

// Next returns the next person who can be imported. It returns a *RowError for one who cannot, after which the file can
// be read on, io.EOF at the end, and a *FileError if the file cannot be read on.
func (r *Reader) Next() (Row, error) {
	row, err := r.people.next()
	if err != nil {
		return Row{}, err
	}
	if row.Number > MaxRows {
		return Row{}, &FileError{row.Line, fmt.Sprintf("more than %d people", MaxRows), "split the file"}
	}
	if fault, cure := r.checks.check(row); fault != "" {
		return Row{}, &RowError{row.Number, row.Line, fault, cure}
	}
	return row, nil
}
