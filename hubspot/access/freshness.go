package access

import (
	"maps"
	"slices"
	"time"
)

// need is what rules may ask about a visitor now, and how old an answer may be.
type need struct {
	lists, properties []string // sorted, each once
	refresh, maxStale time.Duration
}

func newNeed(cfg Config) need {
	lists := map[string]bool{}
	for _, id := range cfg.Lists {
		lists[string(id)] = true
	}
	return need{
		lists:      slices.Sorted(maps.Keys(lists)),
		properties: slices.Compact(slices.Sorted(slices.Values(cfg.Properties))),
		refresh:    cfg.Refresh.D(), maxStale: cfg.MaxStale.D(),
	}
}

// freshness is what to do with an answer of HubSpot before it is used.
type freshness int

const (
	unusable freshness = iota // it says nothing about this person now
	aged                      // read again first; it is used only if HubSpot does not answer in time
	aging                     // use it, and read it again in the background
	fresh                     // use it
)

const (
	// deniedAge is how long a refusal may rest on an answer: a person who was just added to a list tries again.
	deniedAge = 30 * time.Second
	// futureAge is by how much the clocks of replicas may differ.
	futureAge = 5 * time.Second
)

// judge returns the freshness of what is known about a person. denied means that it led to a refusal. An answer about
// another address or of another account is unusable: the same list id means another list there. An answer that lacks a
// list or property is used only without a better one, because rules take what is missing for unknown.
func (n need) judge(k *Known, about subject, denied bool) freshness {
	if k == nil || k.Email != about.email || k.Account != about.account {
		return unusable
	}
	switch age := about.now.Sub(k.ReadAt); {
	case age < -futureAge || age >= n.maxStale:
		return unusable
	case age > 2*n.refresh || denied && age > deniedAge || !n.coveredBy(k):
		return aged
	case age > n.refresh:
		return aging
	}
	return fresh
}

// subject is the person that an answer must be about, in which account, and when.
type subject struct {
	email, account string
	now            time.Time
}

// coveredBy reports whether HubSpot was asked about every list and property.
func (n need) coveredBy(k *Known) bool {
	for _, id := range n.lists {
		if _, asked := k.Lists[id]; !asked {
			return false
		}
	}
	for _, name := range n.properties {
		if _, asked := k.Properties[name]; !asked && !slices.Contains(k.Missing, name) {
			return false
		}
	}
	return true
}

const (
	batchSize      = 100
	longestGather  = time.Minute
	longestSpacing = time.Second
)

// gather returns how long people who do not wait are gathered for a full batch.
func (n need) gather() time.Duration { return min(n.refresh/15, longestGather) }

// spacing returns the time between such batches, so that many people who were read at once do not come back at once.
func (n need) spacing() time.Duration {
	return min(max(n.refresh/900, 20*time.Millisecond), longestSpacing)
}

// claimTime returns how long other replicas leave a person to the one that gathers. It outlasts the time in which they
// may have queued the person as well, and ends before the answer is old again.
func (n need) claimTime() time.Duration { return min(n.refresh, 2*n.gather()+30*time.Second) }
