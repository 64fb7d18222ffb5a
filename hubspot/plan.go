package hubspot

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"strings"
	"time"
)

// plan is what one job comes to: the properties of its calls.
type plan struct {
	job         *job
	person      person
	key         string // the e-mail address as HubSpot keeps it
	write       map[string]string
	ifEmpty     map[string]string // to be written where HubSpot has nothing
	onCreate    map[string]string // to be written in a second call, and only when the contact is new
	sent        string            // fingerprint of what is written, login values left out
	outcome     *outcome
	emptyReadAt time.Time // when HubSpot was asked what is empty
	holdUntil   time.Time // until when the job waits after its browser was seen to; zero = it is done
}

// plan maps a job's login with the mapping of now: an entry that waited gets what the operator wants today.
func (w *worker) plan(j *job, p person, m *mapping) *plan {
	pl := &plan{job: j, person: p, key: emailKey(j.login.Email), write: map[string]string{}, ifEmpty: map[string]string{}, onCreate: map[string]string{}}
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
	if j.state.Created { // the contact is this job's own, its first call succeeded: one call with everything completes it
		maps.Copy(pl.write, pl.onCreate)
		pl.onCreate = map[string]string{}
	}
	return pl
}

// superseded tells that a dead letter was replayed although a newer login of the same person was sent meanwhile.
func (p *plan) superseded() bool {
	return p.person.originID != "" && queuedBefore(p.job.originID, p.person.originID)
}

// leftOut tells that HubSpot recently refused a property as a whole.
func (w *worker) leftOut(property string) bool {
	return w.refused[property].After(w.c.deps.Now())
}

// rest tells whether a person needs no call now: nothing changed since the last one, min_interval ago at most. until is when what is
// kept (the time and count of logins) has to go; zero when nothing is kept.
func (p *plan) skipUntil(m *mapping, now time.Time) (until time.Time, skip bool) {
	end := p.person.at.Add(m.cfg.MinInterval.D())
	if p.job.forced || p.job.state.Created || p.person.sent != p.sent || !now.Before(end) || p.person.at.After(now) {
		return time.Time{}, false
	}
	if m.hasLoginValues() {
		return end.Truncate(batchWait).Add(batchWait), true // people who have to go at about the same time share a call
	}
	return time.Time{}, true
}

func (p *plan) input() upsertInput {
	return upsertInput{ID: p.key, IDProperty: "email", TraceID: p.job.newest(), Properties: p.write}
}

// schemaReader keeps HubSpot's definitions of properties fresh. Without them everything is sent as text: they make values valid, they
// are not needed to send.
type schemaReader struct {
	known    schema
	readAt   time.Time
	mapping  *mapping // the mapping that known was compared with
	attempts int      // that failed for a reason that passes
}

const (
	schemaFresh = time.Hour
	schemaRetry = time.Minute
	// schemaPatience is how often nothing is sent because the definitions could not be read: unchecked values may be refused.
	maxSchemaAttempts = 5
)

// learn reads the definitions when they are old, missing, or when the mapping names what they do not have. A fault that passes is an
// error as long as nothing is known: a value that is not made valid is refused, and lost. A key that may not read them sends unchecked.
func (w *worker) refreshSchema(ctx context.Context, m *mapping) error {
	s := &w.schema
	age := w.c.deps.Now().Sub(s.readAt)
	if s.mapping == m && age < schemaFresh && (age < schemaRetry || s.known != nil && len(s.known.missing(m)) == 0) {
		return nil
	}
	known, err := w.c.client.schema(ctx)
	if errors.Is(err, errPaused) || isRedisError(err) {
		return err
	}
	if err != nil && s.known == nil && !readRefused(err) && s.attempts < maxSchemaAttempts {
		s.attempts++
		return err
	}
	s.readAt, s.mapping, s.attempts = w.c.deps.Now(), m, 0
	var e *apiError
	if errors.As(err, &e) && e.Status == http.StatusTooManyRequests {
		return err // the next call would be refused as well
	}
	if err != nil {
		if w.c.faults.firstTime("schema") {
			w.c.deps.Log.Warn("HubSpot's property definitions cannot be read; values are sent unchecked", "error", err)
		}
		return nil
	}
	w.c.faults.ended("schema")
	s.known = known
	w.c.known.Store(&known)
	for name, reason := range known.missing(m) {
		w.reportLeftOut(ctx, badProperty{name: name, reason: reason})
	}
	return nil
}

// missing lists what is mapped although HubSpot has no such property, or does not let it be written.
func (s schema) missing(m *mapping) map[string]string {
	bad := map[string]string{}
	for _, r := range m.rules {
		if _, reason := s.convert(r.property, sourceValue{}, false); reason != "" {
			bad[r.property] = reason
		}
	}
	return bad
}

// unique lists the mapped properties that can name a contact.
func (s schema) unique(m *mapping) []string {
	var names []string
	for _, r := range m.rules {
		if s[r.property].HasUniqueValue {
			names = append(names, r.property)
		}
	}
	return names
}
