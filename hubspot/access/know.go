package access

import (
	"context"
	"reflect"
	"strings"
	"time"

	"github.com/hubgate/hubgate/session"
)

const (
	longestWait = 2 * time.Second // of a visitor
	retryAfter  = 5 * time.Second // a person about whom HubSpot did not answer
	lookEvery   = time.Second     // at Redis, about one person whose answer is old, and after a failure about all
)

// query is one request's question about a person.
type query struct {
	a      *Access
	need   need
	person person
	denied bool
}

// Know returns what HubSpot says about the person of a session, or nil if it is unknown. denied means that what was
// known led to a refusal, so that a newer answer is worth a wait. It returns after at most two seconds.
func (a *Access) Know(ctx context.Context, s *session.Session, denied bool) *session.CRM {
	now := a.live.Load()
	p, ok := personOf(a.deps.Ring, s)
	if !ok || !now.on {
		return nil
	}
	q := query{a: a, need: now.need, person: p, denied: denied}
	known, state := q.held()
	if q.mustLook(state) {
		q.look(ctx)
		known, state = q.held()
	}
	reason := ""
	switch state {
	case fresh:
	case aging:
		q.readLater()
	default:
		reason = q.readNow(ctx)
		known, state = q.held()
	}
	if state == unusable {
		a.deps.Metrics.unknown.WithLabelValues(reason).Inc()
		return nil
	}
	a.deps.Metrics.age.Observe(a.deps.Now().Sub(known.ReadAt).Seconds())
	return known.forSession(q.need.maxStale)
}

// held returns what this replica knows, and how fresh it is.
func (q query) held() (*Known, freshness) {
	known := q.a.cache.get(q.person.name()).known
	about := subject{email: q.person.email, account: q.a.deps.Account(), now: q.a.deps.Now()}
	return known, q.need.judge(known, about, q.denied)
}

// mustLook reports whether another replica may have a newer answer. While Redis does not answer, this replica uses its
// own.
func (q query) mustLook(state freshness) bool {
	now, held := q.a.deps.Now(), q.a.cache.get(q.person.name())
	if since := now.Sub(time.Unix(0, q.a.redisFailed.Load())); since >= 0 && since < lookEvery {
		return false
	}
	return q.a.cache.doubted(held) || state != fresh && now.Sub(held.looked) >= lookEvery
}

// look reads the person's record from Redis.
func (q query) look(ctx context.Context) {
	name, now := q.person.name(), q.a.deps.Now()
	before := q.a.cache.get(name).known
	k, err := q.a.store.load(ctx, q.person)
	if err != nil {
		q.a.redisFailed.Store(now.UnixNano())
		return
	}
	q.a.cache.looked(name, k, now)
	if k != nil && before != nil && !before.says(k) {
		q.a.watchers.Notify(name)
	}
}

// says reports whether two answers say the same.
func (k *Known) says(other *Known) bool {
	x, y := *k, *other
	x.ReadAt, y.ReadAt = time.Time{}, time.Time{}
	return reflect.DeepEqual(x, y)
}

// readLater queues the person to be read in the background.
func (q query) readLater() {
	held := q.a.cache.get(q.person.name())
	if !q.a.outage.on() && q.a.deps.Now().Sub(held.failed) >= retryAfter {
		q.a.queue.add(q.person, held.alone)
	}
}

// readNow waits until the person has been read, and returns the reason if there is no answer. It does not wait while
// HubSpot answers no calls, nor twice for the same read: the next request finds the answer.
func (q query) readNow(ctx context.Context) (reason string) {
	held := q.a.cache.get(q.person.name())
	if q.a.outage.on() {
		return unknownOutage
	}
	if q.a.deps.Now().Sub(held.failed) < retryAfter {
		return unknownFailed
	}
	one, until := q.a.queue.wait(q.person, held.alone)
	if one == nil {
		return unknownTimeout
	}
	timer := time.NewTimer(until.Sub(q.a.deps.Now()))
	defer timer.Stop()
	select {
	case <-one.done:
		if q.a.outage.on() {
			return unknownOutage
		}
		return unknownFailed
	case <-timer.C:
	case <-ctx.Done():
	}
	return unknownTimeout
}

// share makes answers known to other replicas, and notifies open connections of those that changed.
func (a *Access) share(ctx context.Context, answers []answer, before []*Known) {
	if len(answers) == 0 {
		return
	}
	stored, err := a.store.save(ctx, answers, a.live.Load().need.maxStale)
	var changed []string
	for i, one := range answers {
		p, old := one.ask.person, stored[i]
		if old != nil && old.ReadAt.After(one.known.ReadAt) { // another replica read later
			a.cache.add(p.name(), old)
		}
		if before[i] == nil || !before[i].says(one.known) {
			a.watchers.Notify(p.name())
		}
		if err == nil && (old == nil || !old.says(one.known)) {
			changed = append(changed, eventChanged+" "+strings.Join(p.names, " "))
		}
	}
	if len(changed) > 0 {
		_ = a.store.publish(ctx, changed...) // without it, replicas find the change when their copy is old
	}
}
