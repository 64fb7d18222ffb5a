package hubspot

import (
	"context"
	"fmt"
	"regexp"

	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/hubspot/outbox"
)

// Import is a part of a file of people who are to become contacts without a login.
type Import struct {
	File        string      `json:"file"`         // SHA-256 of the whole file, in hexadecimal
	TrustEmails bool        `json:"trust_emails"` // addresses count as verified
	Rows        []ImportRow `json:"rows"`
}

// ImportRow is a person. The number of the row in the file identifies it when the file is sent again.
type ImportRow struct {
	Row    int               `json:"row"`
	Claims map[string]string `json:"claims"`
}

// Imported is the result of an Import.
type Imported struct {
	Rows     int          `json:"rows"` // of the request, from its first: the ones that this result is about
	Queued   int          `json:"queued"`
	Repeated int          `json:"repeated"`  // queued by an earlier request
	LoggedIn int          `json:"logged_in"` // not queued, as a login with the address was sent
	Skipped  []SkippedRow `json:"skipped"`
	Retry    float64      `json:"retry,omitempty"` // seconds after which to send the other rows, as the queue is full
}

// SkippedRow is a person who must not become a contact.
type SkippedRow struct {
	Row      int    `json:"row"`
	Reason   string `json:"reason"`
	Excluded bool   `json:"excluded"` // by the configuration or as forgotten: nothing is wrong with the row
}

// ImportError is a mistake in an Import.
type ImportError string

func (e ImportError) Error() string { return string(e) }

const (
	maxImportRows = 1000 // in one request
	importRetry   = 2    // seconds; the queue takes about 1,800 contacts meanwhile
)

var fileForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

// validate returns the first mistake.
func (in Import) validate() error {
	switch {
	case !fileForm.MatchString(in.File):
		return ImportError("file is not a SHA-256 in lower-case hexadecimal")
	case len(in.Rows) == 0 || len(in.Rows) > maxImportRows:
		return ImportError(fmt.Sprintf("send 1 to %d rows", maxImportRows))
	}
	for _, r := range in.Rows {
		if r.Row < 1 || r.Row > outbox.MaxImportRow {
			return ImportError(fmt.Sprintf("row must be from 1 to %d", outbox.MaxImportRow))
		}
	}
	return nil
}

// Import queues the people of a file. Rows that were queued before are not queued again as long as the mapping is the
// same. It stops when the queue is full. It returns ErrOff if contact sync is off.
func (c *Contacts) Import(ctx context.Context, from mapping.Provider, in Import) (Imported, error) {
	live := c.live.Load()
	if !live.on() {
		return Imported{}, ErrOff
	}
	if err := in.validate(); err != nil {
		return Imported{}, err
	}
	sent, err := c.outbox.LoginsSent(ctx, in.emails())
	if err != nil {
		return Imported{}, err
	}
	done := Imported{Skipped: []SkippedRow{}}
	for _, r := range in.Rows {
		person := outbox.ImportRow{File: in.File + ":" + live.mapping.Fingerprint(from), Row: r.Row}
		var skipped mapping.Skipped
		if person.Login, skipped = live.mapping.ImportedLogin(from, r.Claims, in.TrustEmails); skipped.Reason != "" {
			done.skip(r.Row, skipped)
			continue
		}
		if _, found := sent[r.Claims["email"]]; found {
			done.LoggedIn++
			done.Rows++
			continue
		}
		result, err := c.outbox.Import(ctx, person)
		if err != nil {
			return done, fmt.Errorf("hubspot: import: %w", err)
		}
		if done.add(r.Row, result); done.Retry > 0 {
			break
		}
	}
	return done, nil
}

// add counts a row by its result.
func (done *Imported) add(row int, result outbox.ImportResult) {
	switch result {
	case outbox.ImportQueued:
		done.Queued++
	case outbox.ImportRepeated:
		done.Repeated++
	case outbox.ImportForgotten:
		done.skip(row, mapping.Skipped{Reason: "forgotten; hubgate contacts forget --allow takes that back", Excluded: true})
		return
	case outbox.ImportFull:
		done.Retry = importRetry
		return
	}
	done.Rows++
}

func (done *Imported) skip(row int, s mapping.Skipped) {
	done.Skipped = append(done.Skipped, SkippedRow{row, s.Reason, s.Excluded})
	done.Rows++
}

// emails returns the addresses of the people.
func (in Import) emails() []string {
	emails := make([]string, len(in.Rows))
	for i, r := range in.Rows {
		emails[i] = r.Claims["email"]
	}
	return emails
}

// isOutdated reports whether a job is a person of a file, and a login with the address was sent. The person may have
// logged in while waiting in the queue.
func (w *worker) isOutdated(ctx context.Context, j *outbox.Job) (bool, error) {
	if !j.Imported {
		return false, nil
	}
	sent, err := w.outbox.LoginsSent(ctx, []string{j.Login.Email})
	return len(sent) > 0, err
}
