package hubspot

import (
	"slices"
	"strings"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/hubspot/outbox"
)

// plan is what the login of one job wants to write, and what HubSpot's contact has. The values to write follow from
// both.
type plan struct {
	job       *outbox.Job
	person    outbox.Person
	key       string // the e-mail address as HubSpot stores it
	wants     []want
	drops     []crm.Drop // values that do not reach HubSpot
	sent      string     // fingerprint of the values without login values
	known     bool       // an earlier login wrote the contact under this address
	recreated bool       // the known contact was deleted, and this job created it again
	movedFrom string     // id of the person's contact, if it has another address
	searched  bool       // movedFrom is up to date
	contact   crm.Contact
	read      bool      // contact is up to date
	holdUntil time.Time // when a held job is due; zero = the job ends
	done      bool      // the job ended, or its retry is scheduled
}

// want is a value for a property.
type want struct{ property, value, write string }

// newPlan maps a job's login with the current mapping, even if the entry was queued under an older one.
func (w *worker) newPlan(j *outbox.Job, person outbox.Person, m *mapping.Mapping) *plan {
	p := &plan{job: j, person: person, key: crm.EmailKey(j.Login.Email)}
	var stable strings.Builder
	stable.WriteString(p.key)
	for _, item := range m.Values(j.Login, j.Count, w.schema.known) {
		if refused, found := w.leftOut(item.Property); found && item.Written() {
			item.Drop = refused
		}
		if item.Drop.Reason != "" {
			p.drops = append(p.drops, item.Drop)
		}
		if !item.Written() {
			continue
		}
		if !strings.HasPrefix(item.Source, "value ") {
			stable.WriteString("\x00" + item.Property + "=" + item.Value)
		}
		p.wants = append(p.wants, want{property: item.Property, value: item.Value, write: item.Write})
	}
	p.sent = w.outbox.Fingerprint(stable.String())
	p.known = person.ContactID != "" && p.emailUnchanged(w)
	return p
}

func (p *plan) emailUnchanged(w *worker) bool { return p.person.Email == w.outbox.Fingerprint(p.key) }

// properties returns the values to write now.
func (p *plan) properties() map[string]string {
	values := map[string]string{}
	for _, w := range p.wants {
		if p.writes(w) {
			values[w.property] = w.value
		}
	}
	return values
}

func (p *plan) writes(w want) bool {
	switch w.write {
	case mapping.WriteIfEmpty:
		return p.contact.Property(w.property) == ""
	case mapping.WriteCreateOnly:
		return p.job.State.Created || !p.known && p.contact.ID == ""
	}
	return true
}

// unread returns the properties that depend on what the contact has.
func (p *plan) unread() (names []string) {
	for _, w := range p.wants {
		if w.write == mapping.WriteIfEmpty || w.write == mapping.WriteCreateOnly && !p.known && !p.job.State.Created {
			names = append(names, w.property)
		}
	}
	return names
}

// needsRead reports whether the contact must be read before it is written.
func (p *plan) needsRead() bool { return !p.read && len(p.unread()) > 0 }

// value returns what the login has for a property.
func (p *plan) value(name string) string {
	for _, w := range p.wants {
		if w.property == name {
			return w.value
		}
	}
	return ""
}

// planned returns what the login has for all properties. HubSpot may repeat a value in an error although the contact
// has one already, so that it was not sent.
func (p *plan) planned() []string {
	values := make([]string, len(p.wants))
	for i, w := range p.wants {
		values[i] = w.value
	}
	return values
}

// leaveOut leaves out properties, and reports whether any of them would have been written.
func (p *plan) leaveOut(drops []crm.Drop) (changed bool) {
	for _, d := range drops {
		n := len(p.wants)
		p.wants = slices.DeleteFunc(p.wants, func(w want) bool { return w.property == d.Property && p.writes(w) })
		if len(p.wants) < n {
			p.drops, changed = append(p.drops, d), true
		}
	}
	return changed
}

// superseded reports whether a newer login of the same person was sent before this replayed dead letter.
func (p *plan) superseded() bool { return p.person.NewerThan(p.job) }

// leftOut reports whether HubSpot recently rejected a property for all contacts.
func (w *worker) leftOut(property string) (crm.Drop, bool) {
	r, found := w.refused[property]
	return r.drop, found && r.until.After(w.c.deps.Now())
}

// skipUntil reports whether a person needs no call now, because nothing changed since a call within min_interval. until
// is when the held time and count of logins are due, or zero if neither is mapped.
func (p *plan) skipUntil(m *mapping.Mapping, now time.Time) (until time.Time, skip bool) {
	end := p.person.At.Add(m.MinInterval())
	if p.job.Forced || p.person.Sent != p.sent || !now.Before(end) || p.person.At.After(now) {
		return time.Time{}, false
	}
	if m.HasLoginValues() && !p.job.Imported {
		return end.Truncate(batchWait).Add(batchWait), true // rounded, so that people share a call
	}
	return time.Time{}, true
}

func undone(plans []*plan) []*plan {
	return slices.DeleteFunc(slices.Clone(plans), func(p *plan) bool { return p.done })
}
