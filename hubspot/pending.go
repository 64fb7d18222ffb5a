package hubspot

import (
	"slices"
	"time"

	"github.com/hubgate/hubgate/hubspot/crm"
)

// job is the pending work for one person: the latest login, and the ids of all queue entries that it covers.
type job struct {
	login    Login
	originID string // id under which the login was first queued
	count    int64  // number of logins when the newest entry was queued
	forced   bool
	ids      []string // oldest first
	state    state
	since    time.Time // when the oldest entry was queued
}

func (j *job) newest() string { return j.ids[len(j.ids)-1] }

func (j *job) due() time.Time { return time.UnixMilli(j.state.Next) }

// pendingQueue is the lease holder's copy of the queue in memory: one job per person, ordered by their first entries.
type pendingQueue struct {
	byPerson map[string]*job
	order    []*job
	replaced []string // ids of entries replaced by newer ones
}

const maxPending = 100_000

func newPendingQueue() *pendingQueue { return &pendingQueue{byPerson: map[string]*job{}} }

func (p *pendingQueue) full() bool { return len(p.order) >= maxPending }

func jobKey(l Login) string { return l.Issuer + "\x00" + personID(l) }

// add adds an entry; a person's latest login wins.
func (p *pendingQueue) add(q queued, s state) {
	added := &job{
		login: q.entry.Login, originID: q.originID(), count: q.count, forced: q.entry.Forced,
		ids: []string{q.id}, state: s, since: q.at,
	}
	if q.entry.Forced && q.entry.Login.Subject == "" {
		if j := p.byEmail(crm.EmailKey(q.entry.Login.Email)); j != nil {
			j.forced, j.ids, j.state.Next = true, append([]string{q.id}, j.ids...), 0
			return
		}
	}
	key := jobKey(added.login)
	if old := p.byPerson[key]; old != nil {
		if queuedBefore(added.originID, old.originID) { // a replayed dead letter, older than the pending login
			p.replaced = append(p.replaced, q.id)
			return
		}
		p.replace(old, added)
		return
	}
	p.byPerson[key] = added
	p.order = append(p.order, added)
}

// replace puts a newer login into a job and keeps its state: attempts, next attempt, and the pending creation of a
// contact.
func (p *pendingQueue) replace(j, newer *job) {
	if j.state == (state{}) || j.state.Held {
		p.replaced = append(p.replaced, j.ids...)
		j.ids = nil
	}
	j.state.LinkPending = false // the newer login has not been written yet
	if newer.state != (state{}) {
		j.state = newer.state
	}
	j.login, j.originID, j.count = newer.login, newer.originID, max(j.count, newer.count)
	j.forced = j.forced || newer.forced
	j.ids = append(j.ids, newer.ids...)
	if j.state.Held { // the newer login may have changed something
		j.state, j.since = state{}, newer.since
	}
}

func (p *pendingQueue) byEmail(email string) *job {
	for _, j := range p.order {
		if crm.EmailKey(j.login.Email) == email {
			return j
		}
	}
	return nil
}

// pick returns at most n jobs that may be sent now, and how many are ready in total. Jobs of the same address keep
// their order: only the oldest one is picked, and none if that one is delayed.
func (p *pendingQueue) pick(now time.Time, n int) (ready []*job, total int) {
	seen := make(map[string]bool, len(p.order))
	for _, j := range p.order {
		email := crm.EmailKey(j.login.Email)
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

// nextDue returns when the next delayed job may be sent.
func (p *pendingQueue) nextDue(now time.Time) (at time.Time, ok bool) {
	for _, j := range p.order {
		if d := j.due(); d.After(now) && (!ok || d.Before(at)) {
			at, ok = d, true
		}
	}
	return at, ok
}

// oldest returns when the oldest job was queued, or zero if there is none. It ignores unchanged jobs that are held
// until min_interval ends.
func (p *pendingQueue) oldest() (at time.Time) {
	for _, j := range p.order {
		if !j.state.Held && (at.IsZero() || j.since.Before(at)) {
			at = j.since
		}
	}
	return at
}

// remove removes finished jobs.
func (p *pendingQueue) remove(finished map[*job]bool) {
	if len(finished) == 0 {
		return
	}
	for j := range finished {
		delete(p.byPerson, jobKey(j.login))
	}
	p.order = slices.DeleteFunc(p.order, func(j *job) bool { return finished[j] })
}
