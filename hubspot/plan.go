package hubspot

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
)

// plan is the properties to write for one job.
type plan struct {
	job         *job
	person      person
	key         string // the e-mail address as HubSpot stores it
	write       map[string]string
	ifEmpty     map[string]string // to be written if empty in HubSpot
	onCreate    map[string]string // to be written in a second call if the contact is new
	sent        string            // fingerprint of the values without login values
	outcome     *crm.Outcome
	emptyReadAt time.Time // when HubSpot was asked which properties are empty
	holdUntil   time.Time // when a held job is due; zero = the job ends
}

// plan maps a job's login with the current mapping, even if the entry was queued under an older one.
func (w *worker) plan(j *job, p person, m *mapping) *plan {
	pl := &plan{
		job: j, person: p, key: crm.EmailKey(j.login.Email),
		write: map[string]string{}, ifEmpty: map[string]string{}, onCreate: map[string]string{},
	}
	var stable strings.Builder
	stable.WriteString(pl.key)
	for _, item := range m.values(j.login, j.count, w.schema.known) {
		if item.Dropped != "" || w.leftOut(item.Property) {
			continue
		}
		if !strings.HasPrefix(item.Source, "value ") {
			stable.WriteString("\x00" + item.Property + "=" + item.Value)
		}
		switch item.Write {
		case writeIfEmpty:
			pl.ifEmpty[item.Property] = item.Value
		case writeCreateOnly:
			pl.onCreate[item.Property] = item.Value
		default:
			pl.write[item.Property] = item.Value
		}
	}
	pl.sent = w.outbox.fingerprint(stable.String())
	if j.state.Created { // this job created the contact: one call with everything completes it
		maps.Copy(pl.write, pl.onCreate)
		pl.onCreate = map[string]string{}
	}
	return pl
}

// superseded reports whether a newer login of the same person was sent before this replayed dead letter.
func (p *plan) superseded() bool {
	return p.person.originID != "" && queuedBefore(p.job.originID, p.person.originID)
}

// leftOut reports whether HubSpot recently rejected a property for all contacts.
func (w *worker) leftOut(property string) bool {
	return w.refused[property].After(w.c.deps.Now())
}

// skipUntil reports whether a person needs no call now, because nothing changed since a call within min_interval. until
// is when the held time and count of logins are due, or zero if neither is mapped.
func (p *plan) skipUntil(m *mapping, now time.Time) (until time.Time, skip bool) {
	end := p.person.at.Add(m.cfg.MinInterval.D())
	if p.job.forced || p.job.state.Created || p.person.sent != p.sent || !now.Before(end) || p.person.at.After(now) {
		return time.Time{}, false
	}
	if m.hasLoginValues() {
		return end.Truncate(batchWait).Add(batchWait), true // rounded, so that people share a call
	}
	return time.Time{}, true
}

func (p *plan) input() crm.Input {
	return crm.Input{Email: p.key, TraceID: p.job.newest(), Properties: p.write}
}

// schemaReader caches HubSpot's property definitions. They are used to make values valid; without them everything is
// sent as text.
type schemaReader struct {
	known    crm.Schema
	readAt   time.Time
	mapping  *mapping // the mapping that was checked against known
	attempts int      // that failed with transient errors
}

const (
	schemaFresh = time.Hour
	schemaRetry = time.Minute
	// maxSchemaAttempts is how often sending waits for the definitions, because unchecked values may be rejected.
	maxSchemaAttempts = 5
)

// refreshSchema reads the definitions if they are old or missing, or if they lack a mapped property. While there are
// none, a transient error is returned, because an invalid value would be rejected and lost. Without permission to read
// them, values are sent unchecked.
func (w *worker) refreshSchema(ctx context.Context, m *mapping) error {
	s := &w.schema
	age := w.c.deps.Now().Sub(s.readAt)
	if s.mapping == m && age < schemaFresh && (age < schemaRetry || s.known != nil && len(m.missing(s.known)) == 0) {
		return nil
	}
	known, err := w.c.client.Schema(ctx)
	if errors.Is(err, errPaused) || isRedisError(err) {
		return err
	}
	if err != nil && s.known == nil && !readRefused(err) && s.attempts < maxSchemaAttempts {
		s.attempts++
		return err
	}
	s.readAt, s.mapping, s.attempts = w.c.deps.Now(), m, 0
	var e *crm.APIError
	if errors.As(err, &e) && e.Status == http.StatusTooManyRequests {
		return err // the next call would be rejected as well
	}
	if err != nil {
		if w.c.faults.firstTime("schema") {
			w.c.deps.Log.Warn("cannot read HubSpot's property definitions, values are sent unchecked", "error", err)
		}
		return nil
	}
	w.c.faults.ended("schema")
	s.known = known
	w.c.known.Store(&known)
	for name, reason := range m.missing(known) {
		w.reportLeftOut(ctx, crm.BadProperty{Name: name, Reason: reason})
	}
	return nil
}

// missing returns the mapped properties that do not exist in HubSpot or cannot be written, and why.
func (m *mapping) missing(known crm.Schema) map[string]string {
	bad := map[string]string{}
	for _, r := range m.rules {
		if reason := known.Unwritable(r.property); reason != "" {
			bad[r.property] = reason
		}
	}
	return bad
}

// unique returns the mapped properties with unique values, which can identify a contact.
func (m *mapping) unique(known crm.Schema) []string {
	var names []string
	for _, r := range m.rules {
		if known[r.property].HasUniqueValue {
			names = append(names, r.property)
		}
	}
	return names
}
