package hubspot

import (
	"maps"
	"strings"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/outbox"
)

// plan is the properties to write for one job.
type plan struct {
	job         *outbox.Job
	person      outbox.Person
	key         string // the e-mail address as HubSpot stores it
	write       map[string]string
	ifEmpty     map[string]string // to be written if empty in HubSpot
	onCreate    map[string]string // to be written in a second call if the contact is new
	sent        string            // fingerprint of the values without login values
	outcome     *crm.Outcome
	emptyReadAt time.Time // when HubSpot was asked which properties are empty
	holdUntil   time.Time // when a held job is due; zero = the job ends
}

// newPlan maps a job's login with the current mapping, even if the entry was queued under an older one.
func (w *worker) newPlan(j *outbox.Job, p outbox.Person, m *mapping) *plan {
	pl := &plan{
		job: j, person: p, key: crm.EmailKey(j.Login.Email),
		write: map[string]string{}, ifEmpty: map[string]string{}, onCreate: map[string]string{},
	}
	var stable strings.Builder
	stable.WriteString(pl.key)
	for _, item := range m.values(j.Login, j.Count, w.schema.known) {
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
	pl.sent = w.outbox.Fingerprint(stable.String())
	if j.State.Created { // this job created the contact: one call with everything completes it
		maps.Copy(pl.write, pl.onCreate)
		pl.onCreate = map[string]string{}
	}
	return pl
}

// superseded reports whether a newer login of the same person was sent before this replayed dead letter.
func (p *plan) superseded() bool {
	return p.person.NewerThan(p.job)
}

// leftOut reports whether HubSpot recently rejected a property for all contacts.
func (w *worker) leftOut(property string) bool {
	return w.refused[property].After(w.c.deps.Now())
}

// skipUntil reports whether a person needs no call now, because nothing changed since a call within min_interval. until
// is when the held time and count of logins are due, or zero if neither is mapped.
func (p *plan) skipUntil(m *mapping, now time.Time) (until time.Time, skip bool) {
	end := p.person.At.Add(m.cfg.MinInterval.D())
	if p.job.Forced || p.job.State.Created || p.person.Sent != p.sent || !now.Before(end) || p.person.At.After(now) {
		return time.Time{}, false
	}
	if m.hasLoginValues() && !p.job.Imported {
		return end.Truncate(batchWait).Add(batchWait), true // rounded, so that people share a call
	}
	return time.Time{}, true
}

func (p *plan) input() crm.Input {
	return crm.Input{Email: p.key, TraceID: p.job.Newest(), Properties: p.write}
}

func (p *plan) answered() bool { return p.outcome != nil }
