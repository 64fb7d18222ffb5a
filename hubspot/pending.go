package hubspot

import (
	"slices"
	"time"
)

// job is what is to be done for one person: the newest login, and the ids of all entries that end with it.
type job struct {
	login    Login
	originID string // place of the login among those of its person
	count    int64  // logins, as counted when the newest entry was queued
	forced   bool
	ids      []string // oldest first
	state    state
	since    time.Time // when the oldest entry was queued
}

func (j *job) newest() string { return j.ids[len(j.ids)-1] }

func (j *job) due() time.Time { return time.UnixMilli(j.state.Next) }

// book is the queue in the memory of the lease's holder: one job a person, in the order of their first entries.
type pendingQueue struct {
	byPerson map[string]*job
	order    []*job
	replaced []string // ids that newer entries replaced
}

const maxPending = 100_000

func newPendingQueue() *pendingQueue { return &pendingQueue{byPerson: map[string]*job{}} }

func (p *pendingQueue) full() bool { return len(p.order) >= maxPending }

func jobKey(l Login) string { return l.Issuer + "\x00" + personID(l) }

// add takes an entry in; the newest of a person wins.
func (p *pendingQueue) add(q queued, s state) {
	added := &job{login: q.entry.Login, originID: q.originID(), count: q.count, forced: q.entry.Forced, ids: []string{q.id}, state: s, since: q.at}
	if q.entry.Forced && q.entry.Login.Subject == "" {
		if j := p.byEmail(emailKey(q.entry.Login.Email)); j != nil {
			j.forced, j.ids, j.state.Next = true, append([]string{q.id}, j.ids...), 0
			return
		}
	}
	key := jobKey(added.login)
	if old := p.byPerson[key]; old != nil {
		if queuedBefore(added.originID, old.originID) { // a dead letter that was replayed after this person's next login
			p.replaced = append(p.replaced, q.id)
			return
		}
		p.replace(old, added)
		return
	}
	p.byPerson[key] = added
	p.order = append(p.order, added)
}

// replace puts a newer login into a job. What was learned on the way stays: its attempts, its time, and a contact's pending creation.
func (p *pendingQueue) replace(j, newer *job) {
	if j.state == (state{}) || j.state.Held {
		p.replaced = append(p.replaced, j.ids...)
		j.ids = nil
	}
	j.state.LinkPending = false // the newer login is still to be written
	if newer.state != (state{}) {
		j.state = newer.state
	}
	j.login, j.originID, j.count = newer.login, newer.originID, max(j.count, newer.count)
	j.forced = j.forced || newer.forced
	j.ids = append(j.ids, newer.ids...)
	if j.state.Held { // perhaps something changed
		j.state, j.since = state{}, newer.since
	}
}

func (p *pendingQueue) byEmail(email string) *job {
	for _, j := range p.order {
		if emailKey(j.login.Email) == email {
			return j
		}
	}
	return nil
}

// pick returns what may be sent now, at most n, and how many could be. No address comes twice, and nobody overtakes an older job of the
// same address: per contact the order is kept.
func (p *pendingQueue) pick(now time.Time, n int) (ready []*job, total int) {
	seen := make(map[string]bool, len(p.order))
	for _, j := range p.order {
		email := emailKey(j.login.Email)
		if seen[email] {
			continue
		}
		seen[email] = true
		if j.due().After(now) {
			continue
		}
		if total++; len(ready) < n {
			ready = append(ready, j)
		}
	}
	return ready, total
}

// nextDue is when the next delayed job may be sent.
func (p *pendingQueue) nextDue(now time.Time) (at time.Time, ok bool) {
	for _, j := range p.order {
		if d := j.due(); d.After(now) && (!ok || d.Before(at)) {
			at, ok = d, true
		}
	}
	return at, ok
}

// oldest is when the oldest job was queued that is not merely kept until the end of min_interval; zero when there is none.
func (p *pendingQueue) oldest() (at time.Time) {
	for _, j := range p.order {
		if !j.state.Held && (at.IsZero() || j.since.Before(at)) {
			at = j.since
		}
	}
	return at
}

// remove takes finished jobs out.
func (p *pendingQueue) remove(finished map[*job]bool) {
	if len(finished) == 0 {
		return
	}
	for j := range finished {
		delete(p.byPerson, jobKey(j.login))
	}
	p.order = slices.DeleteFunc(p.order, func(j *job) bool { return finished[j] })
}
