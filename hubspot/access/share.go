package access

import (
	"context"
	"slices"
	"strings"
)

// share makes answers known to other replicas, and notifies open connections of those that changed.
func (a *Access) share(ctx context.Context, answers []answer, before []*Known) {
	if len(answers) == 0 {
		return
	}
	n := a.live.Load().need
	stored, err := a.store.save(ctx, answers, n.maxStale)
	var changed []string
	for i, one := range answers {
		p := one.ask.person
		for _, old := range stored[i] { // another replica may have read later
			a.cache.add(p.name(), old, a.better(p))
		}
		if before[i] == nil || n.changed(before[i], one.known) {
			a.watchers.Notify(p.name())
		}
		contradicts := func(old *Known) bool { return !old.agrees(one.known) }
		if err == nil && (len(stored[i]) == 0 || slices.ContainsFunc(stored[i], contradicts)) {
			changed = append(changed, eventChanged+" "+strings.Join(p.names, " "))
		}
	}
	if len(changed) > 0 {
		_ = a.store.publish(ctx, changed...) // without it, replicas find the change when their copy is old
	}
}

// better returns a function that reports whether an answer about a person is better than another one: usable, or about
// all that rules ask for now, or later. While a change of the configuration is rolled out, replicas ask about different
// lists, and must not replace each other's answers.
func (a *Access) better(p person) func(x, y *Known) bool {
	n, about := a.live.Load().need, subject{email: p.email, account: a.portal.current(), now: a.deps.Now()}
	rank := func(k *Known) int {
		switch {
		case n.judge(k, about, false) == unusable:
			return 0
		case !n.coveredBy(k):
			return 1
		}
		return 2
	}
	return func(x, y *Known) bool {
		if better, worse := rank(x), rank(y); better != worse {
			return better > worse
		}
		return y == nil || !y.ReadAt.After(x.ReadAt)
	}
}

// changed reports whether an answer may change decisions that rest on another one.
func (n need) changed(before, after *Known) bool {
	return !before.agrees(after) || n.coveredBy(before) != n.coveredBy(after)
}

// agrees reports whether two answers say the same where they are about the same.
func (k *Known) agrees(other *Known) bool {
	if k.Email != other.Email || k.Account != other.Account || k.Contact != other.Contact {
		return false
	}
	for id, in := range k.Lists {
		if also, asked := other.Lists[id]; asked && in != also {
			return false
		}
	}
	for name, values := range k.Properties {
		also, known := other.Properties[name]
		if slices.Contains(other.Missing, name) || known && !slices.Equal(values, also) {
			return false
		}
	}
	return !slices.ContainsFunc(k.Missing, func(name string) bool { return other.Properties[name] != nil })
}

// maxVersions bounds what a record holds: the answers to the present configuration, and those to earlier ones.
const maxVersions = 3

// merge returns the answers of a record, the new one first. Old ones stay while the new one is not about all that they
// are about: replicas with another configuration use them.
func merge(k *Known, old []*Known) []*Known {
	merged := []*Known{k}
	for _, o := range old {
		asked := need{properties: o.Missing}
		for id := range o.Lists {
			asked.lists = append(asked.lists, id)
		}
		for name := range o.Properties {
			asked.properties = append(asked.properties, name)
		}
		superseded := o.Account != k.Account || o.Email != k.Email || asked.coveredBy(k)
		if !superseded && len(merged) < maxVersions {
			merged = append(merged, o)
		}
	}
	return merged
}
