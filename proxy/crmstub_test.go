package proxy

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hubgate/hubgate/session"
)

// crmStub is a stub of what is known about people, by the name of their session.
type crmStub struct {
	mu       sync.Mutex
	known    map[string]*session.CRM
	recent   map[string]*session.CRM // what a denied person is told; nil for what is known anyway
	calls    []string
	until    []time.Time              // when these must return
	hold     map[string]chan struct{} // Know sends to it, and waits until it is closed
	changed  map[string]chan struct{}
	watches  int           // that were not released
	watched  chan struct{} // receives a value for each watch
	released chan struct{} // receives a value for each watch that was released
}

// inLists is what is known about a person in these of the two lists, whose tier is gold.
func inLists(ids ...string) *session.CRM {
	now := time.Now()
	crm := &session.CRM{
		Contact: true, Lists: map[string]bool{"1234": false, "5678": false},
		Properties: map[string][]string{"member_tier": {"silver", "gold"}},
		ReadAt:     now.Add(-time.Minute), UsableUntil: now.Add(time.Hour),
	}
	for _, id := range ids {
		crm.Lists[id] = true
	}
	return crm
}

func newCRMStub() *crmStub {
	return &crmStub{
		known: map[string]*session.CRM{"alice": inLists("1234"), "bob": inLists("5678")}, recent: map[string]*session.CRM{},
		hold: map[string]chan struct{}{}, changed: map[string]chan struct{}{}, watched: make(chan struct{}, 99),
		released: make(chan struct{}, 99),
	}
}

func (c *crmStub) Know(ctx context.Context, s *session.Session, denied bool) (*session.CRM, error) {
	c.mu.Lock()
	call, known, hold := s.Ref, c.known[s.Ref], c.hold[s.Ref]
	if denied {
		call += " denied"
		if c.recent[s.Ref] != nil {
			known = c.recent[s.Ref]
		}
	}
	c.calls = append(c.calls, call)
	if until, limited := ctx.Deadline(); limited {
		c.until = append(c.until, until)
	}
	c.mu.Unlock()
	if hold != nil {
		select {
		case hold <- struct{}{}:
		case <-ctx.Done():
		}
		select {
		case <-hold:
		case <-ctx.Done():
		}
	}
	if known == nil {
		return nil, errors.New("HubSpot is asleep")
	}
	return known, nil
}

func (c *crmStub) Watch(s *session.Session) (<-chan struct{}, func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changed[s.Ref] == nil {
		c.changed[s.Ref] = make(chan struct{})
	}
	c.watches++
	c.watched <- struct{}{}
	return c.changed[s.Ref], func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.watches--
		c.released <- struct{}{}
	}
}

// set changes what is known about a person, and notifies those who watch it.
func (c *crmStub) set(ref string, known *session.CRM) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known[ref] = known
	if ch := c.changed[ref]; ch != nil {
		close(ch)
		delete(c.changed, ref)
	}
}

// open returns how many watches were not released.
func (c *crmStub) open() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.watches
}

// asked returns the calls since the last time.
func (c *crmStub) asked() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	calls := c.calls
	c.calls = nil
	return calls
}
