package hubspot

import (
	"slices"
	"time"
)

// job is what is to be done for one person: the newest login, and the ids of all entries that end with it.
type job struct {
	login  Login
	made   string // place of the login among those of its person
	count  int64  // logins, as counted when the newest entry was queued
	forced bool
	ids    []string // oldest first
	state  state
	since  time.Time // when the oldest entry was queued
}

func (j *job) newest() string { return j.ids[len(j.ids)-1] }

func (j *job) due() time.Time { return time.UnixMilli(j.state.Next) }

// book is the queue in the memory of the lease's holder: one job a person, in the order of their first entries.
type book struct {
	byPerson map[string]*job
	order    []*job
	stale    []string // ids that newer entries replaced
}

const maxBook = 100_000

func newBook() *book { return &book{byPerson: map[string]*job{}} }

func (b *book) full() bool { return len(b.order) >= maxBook }

func bookKey(l Login) string { return l.Issuer + "\x00" + personID(l) }

// add takes an entry in; the newest of a person wins.
func (b *book) add(q queued, s state) {
	fresh := &job{login: q.entry.Login, made: q.made(), count: q.count, forced: q.entry.Forced, ids: []string{q.id}, state: s, since: q.at}
	if q.entry.Forced && q.entry.Login.Subject == "" {
		if j := b.byEmail(emailKey(q.entry.Login.Email)); j != nil {
			j.forced, j.ids, j.state.Next = true, append([]string{q.id}, j.ids...), 0
			return
		}
	}
	key := bookKey(fresh.login)
	if old := b.byPerson[key]; old != nil {
		if earlier(fresh.made, old.made) { // a dead letter that was replayed after this person's next login
			b.stale = append(b.stale, q.id)
			return
		}
		b.replace(old, fresh)
		return
	}
	b.byPerson[key] = fresh
	b.order = append(b.order, fresh)
}

// replace puts a newer login into a job. What was learned on the way stays: its attempts, its time, and a contact's pending creation.
func (b *book) replace(j, fresh *job) {
	if j.state == (state{}) || j.state.Held {
		b.stale = append(b.stale, j.ids...)
		j.ids = nil
	}
	j.state.Linking = false // the newer login is still to be written
	if fresh.state != (state{}) {
		j.state = fresh.state
	}
	j.login, j.made, j.count = fresh.login, fresh.made, max(j.count, fresh.count)
	j.forced = j.forced || fresh.forced
	j.ids = append(j.ids, fresh.ids...)
	if j.state.Held { // perhaps something changed
		j.state, j.since = state{}, fresh.since
	}
}

func (b *book) byEmail(email string) *job {
	for _, j := range b.order {
		if emailKey(j.login.Email) == email {
			return j
		}
	}
	return nil
}

// pick returns what may be sent now, at most n, and how many could be. No address comes twice, and nobody overtakes an older job of the
// same address: per contact the order is kept.
func (b *book) pick(now time.Time, n int) (ready []*job, total int) {
	seen := make(map[string]bool, len(b.order))
	for _, j := range b.order {
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
func (b *book) nextDue(now time.Time) (at time.Time, ok bool) {
	for _, j := range b.order {
		if d := j.due(); d.After(now) && (!ok || d.Before(at)) {
			at, ok = d, true
		}
	}
	return at, ok
}

// oldest is when the oldest job was queued that is not merely kept until the end of min_interval; zero when there is none.
func (b *book) oldest() (at time.Time) {
	for _, j := range b.order {
		if !j.state.Held && (at.IsZero() || j.since.Before(at)) {
			at = j.since
		}
	}
	return at
}

// remove takes finished jobs out.
func (b *book) remove(finished map[*job]bool) {
	if len(finished) == 0 {
		return
	}
	for j := range finished {
		delete(b.byPerson, bookKey(j.login))
	}
	b.order = slices.DeleteFunc(b.order, func(j *job) bool { return finished[j] })
}
