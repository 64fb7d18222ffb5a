package outbox

import (
	"slices"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
)

// Job is the pending work for one person: the latest login, and the ids of all queue entries that it covers.
type Job struct {
	Login    Login
	originID string // id under which the login was first queued
	Count    int64  // number of logins when the newest entry was queued
	Forced   bool
	Imported bool     // a person of a file, who gives way to logins
	IDs      []string // oldest first
	State    State
	Since    time.Time // when the oldest entry was queued
}

// Newest returns the id of the newest entry, which names the job in Redis and in HubSpot's responses.
func (j *Job) Newest() string { return j.IDs[len(j.IDs)-1] }

func (j *Job) due() time.Time { return time.UnixMilli(j.State.Next) }

// Pending is the lease holder's copy of the queue in memory: one job per person, ordered by their first entries.
type Pending struct {
	byPerson map[string]*Job
	Jobs     []*Job
	Replaced []string // ids of entries replaced by newer ones
}

const maxPending = 100_000

// NewPending returns an empty queue.
func NewPending() *Pending { return &Pending{byPerson: map[string]*Job{}} }

// Full reports whether the queue accepts no more jobs for now.
func (p *Pending) Full() bool { return len(p.Jobs) >= maxPending }

func jobKey(l Login) string { return l.Issuer + "\x00" + personID(l) }

// givesWayTo reports whether the pending job must not be replaced: by a person of a file if it is a login, or by a
// replayed dead letter that is older.
func (j *Job) givesWayTo(pending *Job) bool {
	if j.Imported != pending.Imported {
		return j.Imported
	}
	return queuedBefore(j.originID, pending.originID)
}

// Add adds an entry; a person's latest login wins.
func (p *Pending) Add(q Queued) {
	added := &Job{
		Login: q.entry.Login, originID: q.originID(), Count: q.count, Forced: q.entry.Forced,
		Imported: q.entry.Imported, IDs: []string{q.ID}, State: q.State, Since: q.at,
	}
	if q.entry.Forced && q.entry.Login.Subject == "" {
		if j := p.byEmail(crm.EmailKey(q.entry.Login.Email)); j != nil {
			j.Forced, j.IDs, j.State.Next = true, append([]string{q.ID}, j.IDs...), 0
			return
		}
		if q.entry.Waiting { // the login was sent meanwhile
			p.Replaced = append(p.Replaced, q.ID)
			return
		}
	}
	key := jobKey(added.Login)
	if old := p.byPerson[key]; old != nil {
		if added.givesWayTo(old) {
			p.Replaced = append(p.Replaced, q.ID)
			return
		}
		p.replace(old, added)
		return
	}
	p.byPerson[key] = added
	p.Jobs = append(p.Jobs, added)
}

// replace puts a newer login into a job and keeps its state: attempts and the next attempt.
func (p *Pending) replace(j, newer *Job) {
	if j.State == (State{}) || j.State.Held {
		p.Replaced = append(p.Replaced, j.IDs...)
		j.IDs = nil
	}
	j.State.LinkPending = false // the newer login has not been written yet
	if newer.State != (State{}) {
		j.State = newer.State
	}
	j.Login, j.originID, j.Count = newer.Login, newer.originID, max(j.Count, newer.Count)
	j.Forced, j.Imported = j.Forced || newer.Forced, newer.Imported
	j.IDs = append(j.IDs, newer.IDs...)
	if j.State.Held { // the newer login may have changed something
		j.State, j.Since = State{}, newer.Since
	}
}

func (p *Pending) byEmail(email string) *Job {
	for _, j := range p.Jobs {
		if crm.EmailKey(j.Login.Email) == email {
			return j
		}
	}
	return nil
}

// Pick returns at most n jobs that may be sent now, and how many are ready in total. Logins come before the people of
// files, who may be many. Jobs of the same address keep their order: only the oldest one is picked, and none if that
// one is delayed. But a login waits neither for a person of a file nor for a held job, which it replaces.
func (p *Pending) Pick(now time.Time, n int) (ready []*Job, total int) {
	p.replaceHeld(now)
	taken := make(map[string]bool, len(p.Jobs))
	for _, imported := range []bool{false, true} {
		for _, j := range p.Jobs {
			if j.Imported != imported || j.isHeld(now) {
				continue
			}
			email := crm.EmailKey(j.Login.Email)
			if taken[email] {
				continue
			}
			taken[email] = true
			if j.due().After(now) {
				continue
			}
			if total++; len(ready) < n {
				ready = append(ready, j)
			}
		}
	}
	return ready, total
}

// isHeld reports whether a job changes nothing, and waits until min_interval ends.
func (j *Job) isHeld(now time.Time) bool { return j.State.Held && j.due().After(now) }

// replaceHeld removes held jobs if a newer login of another person has the address. Later, they would overwrite it.
func (p *Pending) replaceHeld(now time.Time) {
	held := map[string]*Job{}
	for _, j := range p.Jobs {
		if j.isHeld(now) {
			held[crm.EmailKey(j.Login.Email)] = j
		}
	}
	if len(held) == 0 {
		return
	}
	replaced := map[*Job]bool{}
	for _, j := range p.Jobs {
		older := held[crm.EmailKey(j.Login.Email)]
		if older != nil && !j.Imported && !j.isHeld(now) && queuedBefore(older.originID, j.originID) {
			replaced[older] = true
		}
	}
	for j := range replaced {
		p.Replaced = append(p.Replaced, j.IDs...)
	}
	p.Remove(replaced)
}

// NextDue returns when the next delayed job may be sent.
func (p *Pending) NextDue(now time.Time) (at time.Time, ok bool) {
	for _, j := range p.Jobs {
		if d := j.due(); d.After(now) && (!ok || d.Before(at)) {
			at, ok = d, true
		}
	}
	return at, ok
}

// Oldest returns when the oldest job was queued, or zero if there is none. It ignores unchanged jobs that are held
// until min_interval ends.
func (p *Pending) Oldest() (at time.Time) {
	for _, j := range p.Jobs {
		if !j.State.Held && (at.IsZero() || j.Since.Before(at)) {
			at = j.Since
		}
	}
	return at
}

// Remove removes finished jobs.
func (p *Pending) Remove(finished map[*Job]bool) {
	if len(finished) == 0 {
		return
	}
	for j := range finished {
		delete(p.byPerson, jobKey(j.Login))
	}
	p.Jobs = slices.DeleteFunc(p.Jobs, func(j *Job) bool { return finished[j] })
}
