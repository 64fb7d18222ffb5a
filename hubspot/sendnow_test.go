package hubspot

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/internal/setting"
)

// names returns the Redis keys with a part in their names.
func (e *env) names(part string) (found []string) {
	for _, key := range e.mini.Keys() {
		if strings.Contains(key, part) {
			found = append(found, key)
		}
	}
	return found
}

// TestSendDoesNotCreatePerson checks that a request to send a waiting login adds no second person.
func TestSendDoesNotCreatePerson(t *testing.T) {
	t.Parallel()
	send := func(t *testing.T, r *replica) {
		if waiting, err := r.Send(t.Context(), "Ada@example.com"); !waiting || err != nil {
			t.Error(waiting, err)
		}
	}
	for name, c := range map[string]struct {
		logins int
		fault  int
		send   func(*testing.T, *replica)
	}{
		"held login":              {2, 0, send},
		"delayed login":           {1, 429, send},
		"constants of the person": {2, 0, func(t *testing.T, r *replica) { _ = r.Create(t.Context(), "ada@example.com") }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEnv(t, usualProperties())
				e.cfg.Contacts.MinInterval = setting.Duration(time.Hour)
				if c.fault != 0 {
					e.fake.Next(fakehubspot.Fault{Path: upsertPath, Status: c.fault, Body: problemJSON("RATE_LIMITS", "")})
				}
				r := e.startReplica()
				for range c.logins {
					e.enqueue(r, testLogin("ada@example.com"))
					time.Sleep(3 * time.Second)
				}
				c.send(t, r)
				p, err := r.Show(t.Context(), "ada@example.com", nil)
				if err != nil || name != "constants of the person" && len(p.Queue) > 1 || len(p.Records) != 1 {
					t.Errorf("before it is sent: %+v %v", p, err)
				}
				e.waitDrained(r)
				p, err = r.Show(t.Context(), "ada@example.com", nil)
				if err != nil || len(p.Queue) != 0 || len(p.Records) != 1 || p.Records[0].Queued {
					t.Errorf("%+v %v", p, err)
				}
				if records := e.names("{crm}:p:"); len(records) != 1 {
					t.Error(records)
				}
				for _, key := range e.names("{crm}:e:") {
					if people, err := e.mini.HKeys(key); err != nil || len(people) != 1 {
						t.Error(people, err)
					}
				}
			})
		})
	}
}

// TestLateSendSendsNothing checks that a request to send a login does not make a contact of the address once the login
// was sent without it.
func TestLateSendSendsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		r := e.replica()
		e.enqueue(r, testLogin("ada@example.com"))
		first := e.mini.Keys()
		waiting, err := r.Send(t.Context(), "ada@example.com")
		if !waiting || err != nil || len(first) != len(e.mini.Keys()) {
			t.Error(waiting, err, e.mini.Keys())
		}
		entries, err := e.redis.XRange(t.Context(), "hubgate:{crm}:stream", "-", "+").Result()
		if err != nil || len(entries) != 2 {
			t.Fatal(entries, err)
		}
		if err := e.redis.XDel(t.Context(), "hubgate:{crm}:stream", entries[0].ID).Err(); err != nil {
			t.Fatal(err)
		}
		e.start(r)
		e.waitDrained(r)
		if e.contact("ada@example.com") != nil || e.upserts() != 0 {
			t.Error(e.fake.Contacts())
		}
		if waiting, err := r.Send(t.Context(), "ada@example.com"); waiting || err != nil {
			t.Error(waiting, err)
		}
	})
}
