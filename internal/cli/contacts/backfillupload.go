package contacts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/hubgate/hubgate/hubspot"
	"github.com/hubgate/hubgate/hubspot/backfill"
	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/background"
	"github.com/hubgate/hubgate/internal/command"
	"github.com/hubgate/hubgate/internal/setting"
)

// A request has at most this many rows and bytes. The admin API reads at most 1 MiB.
const (
	uploadRows  = 200
	uploadBytes = 900 << 10
)

// upload returns what sends a file to the queue. Nothing is sent if the file cannot be read to its end.
func (b *backfillRun) upload() (work func() (summary any, err error), err error) {
	client, err := b.flags.Client(b.env)
	if err != nil {
		return nil, err
	}
	return func() (any, error) {
		count := func(backfill.Row) error { b.good++; return nil }
		if err := b.file.each(count, func(*backfill.RowError) {}); err != nil {
			return nil, err
		}
		u := &upload{
			run: b, client: client, lines: map[int]int{},
			progress: progress{
				w: b.env.Stderr, report: b.env.ReportProgress, last: time.Now(),
				terminal: command.IsTerminal(b.env.Stderr) && b.env.Output != "json",
			},
		}
		b.report.before = u.progress.clear
		err := b.file.each(u.add, u.reject)
		if err == nil {
			err = u.send()
		}
		u.progress.clear()
		u.report()
		u.totals.BadRows, u.totals.Excluded = b.bad, b.excluded
		return u.totals, u.finish(err)
	}, nil
}

// upload is an import in progress.
type upload struct {
	run      *backfillRun
	client   *command.AdminClient
	progress progress
	rows     []hubspot.ImportRow // of the next request
	lines    map[int]int         // of these rows
	size     int                 // of these rows, in bytes
	bad      []*backfill.RowError
	totals   uploadTotals
}

// uploadTotals is the number of rows by result.
type uploadTotals struct {
	Queued   int `json:"queued"`
	Repeated int `json:"repeated"`
	LoggedIn int `json:"logged_in"`
	BadRows  int `json:"bad_rows"`

	Excluded map[string]int `json:"excluded"` // reason -> people
}

// add adds a person to the next request, after it sent a full one.
func (u *upload) add(row backfill.Row) error {
	next := hubspot.ImportRow{Row: row.Number, Claims: row.Claims}
	text, err := json.Marshal(next)
	if err != nil {
		return err
	}
	if len(u.rows) == uploadRows || u.size+len(text) > uploadBytes {
		if err := u.send(); err != nil {
			return err
		}
	}
	u.rows, u.size = append(u.rows, next), u.size+len(text)+1
	u.lines[next.Row] = row.Line
	return nil
}

// send sends the next request, in parts while the queue is full.
func (u *upload) send() error {
	for len(u.rows) > 0 {
		var done hubspot.Imported
		body := hubspot.Import{File: u.run.file.hash, TrustEmails: u.run.trustEmails, Rows: u.rows}
		ctx := u.run.env.Ctx
		err := command.RetryTransient(ctx, u.failed, func() error {
			done = hubspot.Imported{}
			return u.client.Call(ctx, http.MethodPost, "/api/contacts/import", body, &done)
		})
		if err != nil {
			return err
		}
		if !plausible(done, len(u.rows)) {
			return command.ErrUnexpectedResponse
		}
		u.count(done)
		if u.rows = u.rows[done.Rows:]; len(u.rows) == 0 {
			u.progress.show(u.state(), "")
		} else if !u.wait(done.Retry) {
			return ctx.Err()
		}
	}
	u.size = 0
	clear(u.lines)
	u.report()
	return nil
}

// plausible reports whether a response can be about so many rows.
func plausible(done hubspot.Imported, rows int) bool {
	for _, n := range []int{done.Rows, done.Queued, done.Repeated, done.LoggedIn, len(done.Skipped)} {
		if n < 0 || n > rows {
			return false
		}
	}
	return done.Rows == rows || done.Retry > 0
}

func (u *upload) count(done hubspot.Imported) {
	u.totals.Queued += done.Queued
	u.totals.Repeated += done.Repeated
	u.totals.LoggedIn += done.LoggedIn
	for _, s := range done.Skipped {
		if s.Excluded {
			u.run.excluded[s.Reason]++
			continue
		}
		u.bad = append(u.bad, &backfill.RowError{Number: s.Row, Line: u.lines[s.Row], Fault: s.Reason})
	}
}

// state returns how far the import is.
func (u *upload) state() string {
	done := u.totals.Queued + u.totals.Repeated
	return fmt.Sprintf("%s of %s queued", setting.Number(done), setting.Count(u.run.good, "row"))
}

// maxUnreported limits the memory for bad rows.
const maxUnreported = 10_000

// reject keeps a bad row until the gateway has found those before it.
func (u *upload) reject(e *backfill.RowError) {
	if u.bad = append(u.bad, e); len(u.rows) == 0 || len(u.bad) >= maxUnreported {
		u.report()
	}
}

// report reports bad rows in the order of their lines.
func (u *upload) report() {
	slices.SortStableFunc(u.bad, func(a, b *backfill.RowError) int { return a.Line - b.Line })
	for _, e := range u.bad {
		u.run.reject(e)
	}
	u.bad = nil
}

// wait waits until the queue has room. It returns false if the command was interrupted.
func (u *upload) wait(seconds float64) bool {
	text, because := u.state()+"; waiting, as the queue is full", ""
	var status outbox.Status
	err := u.client.Call(u.run.env.Ctx, http.MethodGet, "/api/contacts", nil, &status)
	if err == nil && status.PausedUntil != nil {
		because = status.PausedBecause
		text += " and calls to HubSpot are paused: " + because
	}
	u.progress.show(text, because)
	return background.Sleep(u.run.env.Ctx, retryPause(seconds))
}

// failed shows why a request is repeated.
func (u *upload) failed(err error) {
	u.progress.show(u.state()+"; trying again: "+err.Error(), err.Error())
}

// retryPause returns the time until the next request: the number of the response, from 1 second to a minute.
func retryPause(seconds float64) time.Duration {
	return time.Duration(min(max(seconds, 1), 60) * float64(time.Second))
}

// finish prepares the output of the result. After an error it says how to go on, if a repeat can.
func (u *upload) finish(err error) error {
	var failed *command.CallError
	if errors.As(err, &failed) && failed.IsRefused() {
		return fmt.Errorf("%s, then: %w", u.state(), err)
	}
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	if err != nil {
		return fmt.Errorf("%s, then: %w; run the same command again to go on, no row is queued twice", u.state(), err)
	}
	u.run.report.after = u.print
	return command.Found(u.totals.BadRows > 0)
}

// print prints the totals.
func (u *upload) print() error {
	text := setting.Count(u.totals.Queued, "row") + " queued"
	for _, part := range []struct {
		rows int
		text string
	}{
		{u.totals.Repeated, "queued before"}, {u.totals.LoggedIn, "of people who have logged in, left as they are"},
		{u.totals.BadRows, "not imported"},
	} {
		if part.rows > 0 {
			text += ", " + setting.Number(part.rows) + " " + part.text
		}
	}
	_, err := command.Fprintln(u.run.env.Stdout, text+u.run.excludedText())
	return err
}
