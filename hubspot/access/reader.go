package access

import (
	"context"
	"fmt"
	"slices"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/session"
)

// Reader reads from HubSpot's API. What is missing in its answers is unknown.
type Reader interface {
	Lookup(ctx context.Context, emails, properties []string) (map[string]crm.LookupResult, error)
	Memberships(ctx context.Context, contactIDs []string) (map[string][]string, error)
	ProbeRead(ctx context.Context) error // these two ask about nothing that a visitor chose
	ProbeMemberships(ctx context.Context) error
	Portal(ctx context.Context) (int64, error) // the account of the token
}

// answer is what HubSpot said about a person.
type answer struct {
	ask   *ask
	known *Known // nil = unknown
}

// ask reads people in two calls: their contacts, then the lists that these are in. A person who is missing in an
// answer is unknown, and so is everyone if the token changed between the calls.
func (a *Access) ask(ctx context.Context, reader Reader, asks []*ask) ([]answer, error) {
	token, account, err := a.portal.resolve(ctx, reader)
	if err != nil {
		return nil, err
	}
	n, at := a.live.Load().need, a.deps.Now().UTC().Truncate(0)
	found, err := reader.Lookup(ctx, emailsOf(asks), n.properties)
	if err != nil {
		return nil, err
	}
	memberships := map[string][]string{}
	if ids := contactsOf(found); len(n.lists) > 0 && len(ids) > 0 {
		if memberships, err = reader.Memberships(ctx, ids); err != nil {
			return nil, err
		}
	}
	answers := make([]answer, len(asks))
	same := !a.portal.changed(token)
	for i, one := range asks {
		answers[i].ask = one
		result, answered := found[one.person.email]
		result.Ambiguous = result.Ambiguous || answered && !result.NotFound && !result.Contact.HasEmail(one.person.email)
		if answered && same {
			answers[i].known = n.known(result, memberships)
		}
		if k := answers[i].known; k != nil {
			k.Email, k.Account, k.ReadAt = one.person.email, account, at
			if len(k.Missing) > 0 {
				a.outage.blame(one.person.logHash(a.deps.Ring), fmt.Errorf("the properties %q are missing or mistyped", k.Missing))
			}
		}
		a.deps.Metrics.read(result, answers[i].known)
	}
	return answers, nil
}

// known returns what an answer says, or nil. One without a contact says that the person is in no list.
func (n need) known(r crm.LookupResult, memberships map[string][]string) *Known {
	if r.Ambiguous || !r.NotFound && r.Contact.ID == "" {
		return nil
	}
	k := &Known{Contact: !r.NotFound, Lists: map[string]bool{}, Properties: map[string][]string{}}
	in, answered := memberships[r.Contact.ID]
	if k.Contact && len(n.lists) > 0 && !answered {
		return nil
	}
	for _, id := range n.lists {
		k.Lists[id] = k.Contact && slices.Contains(in, id)
	}
	for _, name := range n.properties {
		switch {
		case !k.Contact:
			k.Properties[name] = nil
		case !r.Contact.Has(name):
			k.Missing = append(k.Missing, name)
		default:
			k.Properties[name] = valuesOf(r.Contact.Property(name))
		}
	}
	return k
}

const maxValue = 4 << 10 // bytes of a property's value; a larger one is none that a rule could name

// valuesOf returns the values of a property that a rule may name.
func valuesOf(value string) []string {
	if len(value) > maxValue {
		return nil
	}
	return session.PropertyValues(value)
}

// emailsOf returns the addresses of people, each once.
func emailsOf(asks []*ask) []string {
	emails := make([]string, len(asks))
	for i, a := range asks {
		emails[i] = a.person.email
	}
	slices.Sort(emails)
	return slices.Compact(emails)
}

// contactsOf returns the ids of the contacts that were found, each once.
func contactsOf(found map[string]crm.LookupResult) (ids []string) {
	for _, r := range found {
		if id := r.Contact.ID; id != "" && !r.NotFound && !r.Ambiguous {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// probe asks HubSpot about nothing that a visitor chose: only it decides whether HubSpot answers.
func (a *Access) probe(ctx context.Context, reader Reader) error {
	n, ctx := a.live.Load().need, crm.WithLimit(ctx, probeLimit)
	if _, _, err := a.portal.resolve(ctx, reader); err != nil {
		return err
	}
	if err := reader.ProbeRead(ctx); err != nil {
		return err
	}
	if err := probeProperties(ctx, reader, n.properties); err != nil {
		return err
	}
	if len(n.lists) == 0 {
		return nil
	}
	return reader.ProbeMemberships(ctx)
}

// probeProperties reports whether a configured property makes all calls fail, as one that needs a further scope does. A
// failure without properties says nothing about them.
func probeProperties(ctx context.Context, reader Reader, properties []string) error {
	if len(properties) == 0 {
		return nil
	}
	_, err := reader.Lookup(ctx, []string{crm.ProbeAddress}, properties)
	if err == nil {
		return nil
	}
	if _, plain := reader.Lookup(ctx, []string{crm.ProbeAddress}, nil); plain != nil {
		return nil
	}
	return fmt.Errorf("with hubspot.access.properties: %w", err)
}
