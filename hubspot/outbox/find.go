package outbox

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/hubspot/crm"
)

// Holdings are the Redis keys and entries that concern the people with an address.
type Holdings struct {
	o       *Outbox
	email   string
	people  map[string]Login // identities, by jobKey
	names   map[string]bool  // of the people's records
	entries []redis.XMessage // of the queue
	letters []redis.XMessage // dead letters
	browser map[string]bool  // the keys of bound browsers, and whether the form was submitted

	unreadable int // entries and dead letters, of anybody
}

// located is an entry of a stream with the person that it is about.
type located struct {
	message redis.XMessage
	login   Login
}

// Find finds everything about the people with an address. people are those that are known otherwise: by their sessions.
// What is sealed with a key that is no longer in the ring is not found, only counted.
func (o *Outbox) Find(ctx context.Context, email string, people []Login) (*Holdings, error) {
	h := &Holdings{
		o: o, email: crm.EmailKey(email), people: map[string]Login{}, names: map[string]bool{}, browser: map[string]bool{},
	}
	for _, l := range people {
		h.people[jobKey(l)] = l
	}
	for _, step := range []func(context.Context) error{h.findEntries, h.findPeople, h.findBrowsers} {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("hubspot: look up a person: %w", err)
		}
	}
	return h, nil
}

// findEntries finds entries and dead letters with the address, and those of the same people with another address. Dead
// letters come first: one that is replayed meanwhile is in the queue then.
func (h *Holdings) findEntries(ctx context.Context) error {
	var entries, letters []located
	if err := h.o.messagesOf(ctx, h.o.keys.dead, func(m redis.XMessage) bool {
		letter, err := h.o.openDeadLetter(m)
		letters = h.add(letters, h.locate(m, letter.Entry.Login), err)
		return true
	}); err != nil {
		return err
	}
	if err := h.o.messagesOf(ctx, h.o.keys.stream, func(m redis.XMessage) bool {
		q := h.o.decode(m)
		entries = h.add(entries, h.locate(m, q.entry.Login), q.Err)
		return true
	}); err != nil {
		return err
	}
	h.entries, h.letters = h.ofPeople(entries), h.ofPeople(letters)
	return nil
}

// add adds what was found, unless it cannot be read, so that its person is unknown.
func (h *Holdings) add(list []located, found located, err error) []located {
	if err != nil {
		h.unreadable++
		return list
	}
	return append(list, found)
}

// locate notes the person of an entry with the address. It keeps only who the person is, not the claims: the queue may
// be long.
func (h *Holdings) locate(m redis.XMessage, l Login) located {
	who := Login{Issuer: l.Issuer, Subject: l.Subject, Email: l.Email}
	if crm.EmailKey(l.Email) == h.email {
		h.people[jobKey(who)] = who
	}
	return located{redis.XMessage{ID: m.ID}, who}
}

func (h *Holdings) ofPeople(list []located) (found []redis.XMessage) {
	for _, entry := range list {
		if _, ours := h.people[jobKey(entry.login)]; ours || crm.EmailKey(entry.login.Email) == h.email {
			found = append(found, entry.message)
		}
	}
	return found
}

// findPeople finds the records: by the index, by the people that are known, and, for records of versions without an
// index, by the fingerprint of the address.
func (h *Holdings) findPeople(ctx context.Context) error {
	o := h.o
	for _, l := range h.people {
		for _, name := range o.macNames("", "crm person\x00"+l.Issuer+"\x00"+personID(l)) {
			h.names[name] = true
		}
	}
	fingerprints := o.macNames("", "crm value\x00"+h.email)
	for _, key := range o.indexKeys(h.email) {
		names, err := o.deps.Queue.HKeys(ctx, key).Result()
		if err != nil {
			return err
		}
		for _, name := range names {
			address, err := o.deps.Queue.HGet(ctx, o.keys.person+name, "email").Result()
			if err != nil && err != redis.Nil {
				return err
			}
			if address == "" || slices.Contains(fingerprints, address) { // otherwise the person has another address now
				h.names[name] = true
			}
		}
	}
	return o.scan(ctx, o.keys.person, func(keys []string) error {
		pipe := o.deps.Queue.Pipeline()
		replies := make([]*redis.StringCmd, len(keys))
		for i, key := range keys {
			replies[i] = pipe.HGet(ctx, key, "email")
		}
		_, _ = pipe.Exec(ctx) // most records have no fingerprint yet; each reply is checked
		for i, key := range keys {
			if err := replies[i].Err(); err != nil && err != redis.Nil {
				return err
			}
			if slices.Contains(fingerprints, replies[i].Val()) {
				h.names[strings.TrimPrefix(key, o.keys.person)] = true
			}
		}
		return nil
	})
}

// findBrowsers finds the browsers that are bound to the people.
func (h *Holdings) findBrowsers(ctx context.Context) error {
	owners := map[string]bool{}
	for name := range h.names {
		owners[name] = true
	}
	for _, l := range h.people {
		for _, name := range h.o.owner(l) {
			owners[name] = true
		}
	}
	return h.o.bindings(ctx, owners, func(key string, sent bool) { h.browser[key] = sent })
}
