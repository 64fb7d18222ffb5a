package hubspot

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/seal"
)

// rotatedReplica returns a replica whose ring seals with another key and still opens what e.key sealed.
func (e *env) rotatedReplica(r *replica, newer string) *replica {
	e.t.Helper()
	if err := r.deps.Ring.Set(newer, e.key); err != nil {
		e.t.Fatal(err)
	}
	return r
}

// noSessions are the sessions of people who are not logged in.
var noSessions = Sessions{End: func(context.Context) (int, error) { return 0, nil }}

// loginOf returns the nth login of a person, in a session of an hour and in a browser of its own.
func loginOf(name string, n int) outbox.Login {
	l := loginNamed(name+"@example.com", fmt.Sprintf("%s %d", name, n))
	l.Subject, l.UTK, l.SessionEnds = "sub-"+name, fmt.Sprintf("%x%031x", len(name), n), time.Now().Add(time.Hour)
	l.Address = "192.0.2.7"
	return l
}

// newFullEnv returns an env in which Redis holds everything that it can hold about ada and grace: records, last logins,
// dead letters, delayed and queued entries, bound browsers, partly under an older key of the ring.
func newFullEnv(t *testing.T) (e *env, newer string) {
	t.Helper()
	reject := &atomic.Bool{}
	e = newEnv(t, usualProperties(), rejectWhile(reject))
	e.cfg.Visitors = VisitorsConfig{Link: "form", FormID: formID, FormURL: e.api.URL}
	people := []string{"ada", "grace"}
	queue := func(r *replica, n int) {
		for _, name := range people {
			e.enqueue(r, loginOf(name, n))
		}
	}
	r := e.startReplica()
	queue(r, 1)
	e.waitDrained(r)
	reject.Store(true)
	queue(r, 2)
	e.waitFor("there are dead letters", func() bool { return len(e.deadEmails(r)) == 2 })
	reject.Store(false)
	e.fake.Next(fakehubspot.Fault{
		Path: upsertPath, Status: http.StatusTooManyRequests, Body: problemJSON("RATE_LIMITS", ""),
	})
	queue(r, 3)
	e.waitFor("the entries are delayed", func() bool { return e.mini.Exists("hubgate:{crm}:tries") })
	r.stop()
	newer = seal.NewKey()
	late := e.rotatedReplica(e.replica(), newer)
	queue(late, 4)
	for _, name := range people {
		changed := loginOf(name, 5)
		changed.Email = name + "@old.example"
		e.enqueue(late, changed)
		if _, err := late.Send(t.Context(), name+"@example.com"); err != nil {
			t.Fatal(err)
		}
	}
	return e, newer
}

// dump returns every string in Redis: names of keys, members, fields and values, sealed ones opened.
func (e *env) dump(keys ...string) (texts []string) {
	e.t.Helper()
	ring, err := seal.New(keys...)
	if err != nil {
		e.t.Fatal(err)
	}
	add := func(list ...string) {
		for _, text := range list {
			texts = append(texts, text)
			if plain, err := ring.Open(seal.Outbox, []byte(text), []byte("hubgate:{crm}:stream")); err == nil {
				texts = append(texts, string(plain))
			}
		}
	}
	for _, key := range e.mini.Keys() {
		add(key)
		switch e.mini.Type(key) {
		case "string":
			add(e.must(e.mini.Get(key)))
		case "hash":
			fields, _ := e.mini.HKeys(key)
			for _, field := range fields {
				add(field, e.mini.HGet(key, field))
			}
		case "set":
			members, _ := e.mini.Members(key)
			add(members...)
		case "zset":
			members, _ := e.mini.ZMembers(key)
			add(members...)
		case "stream":
			messages, _ := e.mini.Stream(key)
			for _, m := range messages {
				add(append(m.Values, m.ID)...)
			}
		default:
			e.t.Errorf("%s is a %s", key, e.mini.Type(key))
		}
	}
	return texts
}

func (e *env) must(text string, err error) string {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
	return text
}

// tracesOf returns the texts in Redis that concern a person: the address, the subject, or one of the person's MACs.
func (e *env) tracesOf(name string, keys ...string) (found []string) {
	e.t.Helper()
	traces := []string{name + "@", "sub-" + name}
	ring, err := seal.New(keys...)
	if err != nil {
		e.t.Fatal(err)
	}
	person := "https://idp.example\x00sub-" + name
	for _, text := range []string{
		"crm person\x00" + person, "crm browser of\x00" + person, "crm address\x00" + name + "@example.com",
		"crm person\x00\x00email\x00" + name + "@example.com", "crm value\x00" + name + "@example.com",
	} {
		for _, mac := range ring.MACs(seal.UserIndex, []byte(text)) {
			traces = append(traces, fmt.Sprintf("%x", mac[:16]))
		}
	}
	for _, text := range e.dump(keys...) {
		for _, trace := range traces {
			if strings.Contains(text, trace) {
				found = append(found, trace+" in "+text)
			}
		}
	}
	return found
}

func TestForgetCrashAtEveryStep(t *testing.T) {
	t.Parallel()
	var steps int64
	synctest.Test(t, func(t *testing.T) {
		e, newer := newFullEnv(t)
		if len(e.tracesOf("ada", newer, e.key)) < 15 {
			t.Errorf("there is too little about ada: %q", e.tracesOf("ada", newer, e.key))
		}
		m := e.forgetUntil(newer, 0)
		steps = m.steps.Load()
		e.checkOnlyAdaIsGone(newer)
	})
	if steps < 20 {
		t.Errorf("only %d steps", steps)
	}
	for at := int64(1); at <= steps; at++ {
		t.Run(fmt.Sprintf("step %d of %d", at, steps), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e, newer := newFullEnv(t)
				if m := e.forgetUntil(newer, at); !m.crashed.Load() {
					t.Error("did not crash")
				}
				e.forgetUntil(newer, 0)
				e.checkOnlyAdaIsGone(newer)
			})
		})
	}
}

// forgetUntil has ada forgotten by a replica that crashes at a step, 0 = never.
func (e *env) forgetUntil(newer string, at int64) *crashPoint {
	e.t.Helper()
	m := &crashPoint{at: at}
	client := e.dial()
	client.AddHook(m)
	ctx, cancel := context.WithCancel(e.t.Context())
	defer cancel()
	m.cancel = cancel
	r := e.rotatedReplica(e.replicaOn(client, e.http), newer)
	if _, err := r.Forget(ctx, "ADA@example.com", noSessions); err != nil && at == 0 {
		e.t.Error(err)
	}
	return m
}

// writesOf returns how often the contacts of people were written, under all their addresses.
func (e *env) writesOf(people ...string) map[string]int {
	writes := map[string]int{}
	for _, c := range e.fake.Contacts() {
		for _, name := range people {
			if strings.HasPrefix(c.Properties["email"], name+"@") {
				writes[name] += c.Writes
			}
		}
	}
	return writes
}

// checkOnlyAdaIsGone checks that nothing about ada is left, that grace is as before, and that neither another login nor
// a replica that runs creates ada's contact again.
func (e *env) checkOnlyAdaIsGone(newer string) {
	e.t.Helper()
	keys := []string{newer, e.key}
	if found := e.tracesOf("ada", keys...); len(found) > 0 {
		e.t.Errorf("left about ada: %q", found)
	}
	if found := e.tracesOf("grace", keys...); len(found) < 15 {
		e.t.Errorf("about grace there is only %q", found)
	}
	writes := e.writesOf("ada", "grace")
	r := e.rotatedReplica(e.replica(), newer)
	e.start(r) // after the rotation: it reads the queue once
	e.enqueue(r, loginOf("ada", 6))
	e.waitDrained(r)
	r.stop()
	if found := append(e.tracesOf("ada", keys...), e.leftKeys()...); len(found) > 0 {
		e.t.Errorf("after another login: %q", found)
	}
	after := e.writesOf("ada", "grace")
	if after["ada"] != writes["ada"] || after["grace"] <= writes["grace"] {
		e.t.Errorf("contacts were written %v times, then %v times", writes, after)
	}
}
