package e2e

import (
	"net/http"
	"sync"
	"testing"
	"time"
)

const (
	crowdBatch   = 100 // people that HubSpot is asked about at once
	crowdRefresh = 15 * time.Second
	crowdGather  = crowdRefresh / 15 // in which a replica waits for a full batch
)

// crowd is many people who have logged in.
type crowd struct {
	*site
	people []*keepAlive // their sessions
	last   *visitor     // is read after everyone else
}

func newCrowd(t *testing.T, size int) *crowd {
	t.Helper()
	c := &crowd{site: newAccessSite(t, options{routed: true, config: config{
		"hubspot.access.refresh": crowdRefresh.String(), "log.access": "false",
		"hubspot.contacts": "", "hubspot.rate_limit": "{requests: 190, per: 10s}",
	}})}
	c.serve()
	c.serve()
	c.people = make([]*keepAlive, size)
	visitors := make([]*visitor, size)
	for i := range visitors {
		name := "p" + idOf(string(rune(i)))
		c.contact(name, "", customersList)
		visitors[i] = c.person(name, nil)
	}
	c.each(16, func(i int) {
		c.enters(visitors[i], "/members/")
		c.people[i] = &keepAlive{address: local(c.port), cookie: c.cookieLine(visitors[i])}
	})
	c.contact("last", "", customersList)
	c.last = c.person("last", nil)
	return c
}

// each calls a function for each of the people, with a number of them at once.
func (c *crowd) each(atOnce int, call func(i int)) {
	var all sync.WaitGroup
	for first := range atOnce {
		all.Go(func() {
			for i := first; i < len(c.people); i += atOnce {
				call(i)
			}
		})
	}
	all.Wait()
}

// visit has each of the people open a page of customers, at each of the gateways in turn, and returns the calls that
// HubSpot got until it was asked about all of them. When all come at once, a slow machine makes some wait in vain.
func (c *crowd) visit(atOnce int) (calls []crmCall) {
	c.t.Helper()
	before := len(c.crm.reads.answered())
	c.each(atOnce, func(i int) {
		for range c.gateways {
			eventually(c.t, "a person enters", func() bool {
				status, err := c.people[i].do(http.MethodGet, "/customers/x", "")
				if err != nil || status != http.StatusOK && status != http.StatusServiceUnavailable {
					c.t.Errorf("%d %v", status, err)
				}
				return status == http.StatusOK
			})
		}
		c.people[i].close()
	})
	eventually(c.t, "HubSpot is asked about all", func() bool {
		calls = c.crm.reads.answered()[before:]
		return asksIn(calls) >= 2*len(c.people)
	})
	return calls
}

// asksIn returns how many people calls are about. A person counts twice, for the contact and for the lists.
func asksIn(calls []crmCall) (n int) {
	for _, call := range calls {
		n += len(call)
	}
	return n
}

// A refresh costs two calls for each full batch of people, from both replicas together. Besides, each replica reads a
// batch that is not full when it has waited for long enough.
func TestCrowdCostsFewCalls(t *testing.T) {
	t.Parallel()
	size := 1000
	if raceEnabled {
		size = 300
	}
	c := newCrowd(t, size)
	first := c.visit(size)
	c.enters(c.last, "/customers/x")
	eventually(t, "what is known is old", func() bool {
		c.want("the last", c.last, "/customers/x", http.StatusOK)
		return c.crm.reads.asked(idOf("last")) > 1
	})
	began := time.Now()
	again := c.visit(16)
	partial := len(c.gateways) * (1 + int(time.Since(began)/crowdGather))
	t.Logf("%d people, %d calls at first, %d for a refresh, with at most %d batches that were not full",
		size, len(first), len(again), partial)
	if limit := 2 * (size/crowdBatch + partial); len(again) > limit {
		t.Errorf("%d calls for a refresh, want at most %d", len(again), limit)
	}
	if n := asksIn(again); n != 2*size {
		t.Errorf("%d people were asked about %d times", size, n)
	}
}
