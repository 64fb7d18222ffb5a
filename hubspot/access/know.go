package access

import (
	"context"
	"errors"
	"time"

	"github.com/hubgate/hubgate/session"
)

const (
	longestWait = 2 * time.Second // of a visitor
	lookEvery   = time.Second     // at Redis, about one person whose answer is old, and after a failure about all
)

// query is one request's question about a person.
type query struct {
	a      *Access
	need   need
	person person
	denied bool
}

// unknownError is why HubSpot gave no answer in time: a reason of the metric, and what operators read.
type unknownError struct{ reason, text string }

// Error returns what operators read.
func (e *unknownError) Error() string { return e.text }

var (
	errOff       = errors.New("hubspot.access asks for no lists and no properties")
	errNoAddress = errors.New("the login has no verified e-mail address, and contacts are found by it")
	errTimeout   = &unknownError{unknownTimeout, "HubSpot did not answer within 2 seconds"}
	errFailed    = &unknownError{unknownFailed, "HubSpot gave no answer about this person: two contacts have the " +
		"address, or the call failed, as the log says"}
)

// Why returns the reason of an error of Know or Ask as a word: email_unverified, outage, timeout or failed, or "".
func Why(err error) string {
	if errors.Is(err, errNoAddress) {
		return "email_unverified"
	}
	if why := (*unknownError)(nil); errors.As(err, &why) {
		return why.reason
	}
	return ""
}

// Know returns what HubSpot says about the person of a session, for a decision, or nil. The error says why there is
// nothing, or nothing newer. denied means that what was known led to a refusal, so that a newer answer is worth a wait.
// It returns after at most two seconds.
func (a *Access) Know(ctx context.Context, s *session.Session, denied bool) (*session.CRM, error) {
	known, err := a.know(ctx, s, denied)
	why := (*unknownError)(nil)
	switch {
	case known != nil:
		a.deps.Metrics.age.Observe(a.deps.Now().Sub(known.ReadAt).Seconds())
	case errors.As(err, &why):
		a.deps.Metrics.unknown.WithLabelValues(why.reason).Inc()
	}
	return known, err
}

// Ask is Know for a page that shows the answer: it counts no decision.
func (a *Access) Ask(ctx context.Context, s *session.Session) (*session.CRM, error) {
	return a.know(ctx, s, false)
}

// Held returns what is kept about the person of a session, or nil. It never asks HubSpot: scripts of every page may use
// it, also for visitors whom no rule asks about.
func (a *Access) Held(ctx context.Context, s *session.Session) *session.CRM {
	q, err := a.query(s, false)
	if err != nil {
		return nil
	}
	known, state := q.kept(ctx)
	if state == unusable {
		return nil
	}
	return known.forSession(q.need.maxStale)
}

func (a *Access) know(ctx context.Context, s *session.Session, denied bool) (*session.CRM, error) {
	q, err := a.query(s, denied)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, longestWait)
	defer cancel()
	known, state := q.kept(ctx)
	switch state {
	case fresh:
	case aging:
		q.readLater()
	default:
		err = q.readNow(ctx)
		if known, state = q.held(); state == fresh {
			err = nil
		}
	}
	if state == unusable {
		return nil, err
	}
	return known.forSession(q.need.maxStale), err
}

func (a *Access) query(s *session.Session, denied bool) (query, error) {
	now := a.live.Load()
	p, ok := personOf(a.deps.Ring, s)
	switch {
	case !now.on:
		return query{}, errOff
	case !ok:
		return query{}, errNoAddress
	}
	return query{a: a, need: now.need, person: p, denied: denied}, nil
}

// kept returns what replicas know, and how fresh it is.
func (q query) kept(ctx context.Context) (*Known, freshness) {
	known, state := q.held()
	if q.mustLook(state) && ctx.Err() == nil {
		q.look(ctx)
		return q.held()
	}
	return known, state
}

// held returns what this replica knows, and how fresh it is.
func (q query) held() (*Known, freshness) {
	known := q.a.cache.get(q.person.name()).known
	about := subject{email: q.person.email, account: q.a.portal.current(), now: q.a.deps.Now()}
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
	records, err := q.a.store.load(ctx, q.person)
	if err != nil {
		if ctx.Err() == nil { // a visitor who left, or has waited for long enough, proves nothing about Redis
			q.a.redisFailed.Store(now.UnixNano())
		}
		return
	}
	for _, k := range records {
		q.a.cache.add(name, k, q.a.better(q.person))
	}
	q.a.cache.looked(name, now)
	if after := q.a.cache.get(name).known; before != nil && q.need.changed(before, after) {
		q.a.watchers.Notify(name)
	}
}

// readLater queues the person to be read in the background.
func (q query) readLater() {
	held := q.a.cache.get(q.person.name())
	if !q.a.outage.on() && !held.resting(q.a.deps.Now()) {
		q.a.queue.add(q.person, held.alone)
	}
}

// readNow waits until the person has been read, and returns why there may be no answer. It does not wait while HubSpot
// answers no calls, nor twice for the same read: the next request finds the answer.
func (q query) readNow(ctx context.Context) error {
	held := q.a.cache.get(q.person.name())
	if cause := q.a.outage.current(); cause != nil {
		return outageError(cause)
	}
	if held.resting(q.a.deps.Now()) {
		return errFailed
	}
	one, until := q.a.queue.wait(q.person, q.urgency(), held.alone)
	if one == nil {
		return errTimeout
	}
	timer := time.NewTimer(until.Sub(q.a.deps.Now()))
	defer timer.Stop()
	select {
	case <-one.done:
		if cause := q.a.outage.current(); cause != nil {
			return outageError(cause)
		}
		return errFailed
	case <-timer.C:
	case <-ctx.Done():
	}
	return errTimeout
}

// outageError is the error for visitors about whom HubSpot cannot be asked.
func outageError(cause error) error {
	return &unknownError{unknownOutage, "HubSpot cannot be asked about visitors: " + cause.Error() + "; " + cureOf(cause)}
}

// urgency returns the urgency of a read for which a visitor waits.
func (q query) urgency() urgency {
	if known, state := q.held(); state == unusable || !q.need.coveredBy(known) {
		return never
	}
	return older
}
