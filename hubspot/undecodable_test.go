package hubspot

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/seal"
)

// addSealed adds an entry with any contents to the queue.
func (e *env) addSealed(plain string) { e.addTo("hubgate:{crm}:stream", plain) }

// addTo adds an entry with any contents to a stream.
func (e *env) addTo(stream, plain string) {
	e.t.Helper()
	ring, err := seal.New(e.key)
	if err != nil {
		e.t.Fatal(err)
	}
	sealed := ring.Seal(seal.Outbox, []byte(plain), []byte("hubgate:{crm}:stream"))
	args := &redis.XAddArgs{Stream: stream, Values: map[string]any{"d": sealed, "n": 1}}
	if err := e.redis.XAdd(e.t.Context(), args).Err(); err != nil {
		e.t.Fatal(err)
	}
}

// TestEntryThatCannotBeDecodedIsRemoved checks that such an entry is logged, counted and removed, and that the queue
// goes on: it can never be read, unlike one whose key is missing.
func TestEntryThatCannotBeDecodedIsRemoved(t *testing.T) {
	t.Parallel()
	for name, plain := range map[string]string{
		"not JSON": "login", "a list": `[]`, "a text as a login": `{"login":"ada"}`, "a time": `{"login":{"at":"now"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				log := &logText{}
				e := newEnv(t, usualProperties())
				e.log = log
				e.addSealed(plain)
				r := e.startReplica()
				e.addSealed(plain)
				e.enqueue(r, testLogin("ada@example.com"))
				time.Sleep(time.Minute)
				s, err := r.Status(t.Context())
				if err != nil || s.Queued != 0 || e.contact("ada@example.com") == nil {
					t.Errorf("%+v, %v, contacts %v", s, err, e.fake.Contacts())
				}
				if n := log.count("cannot decode an entry of the contact queue"); n != 2 || log.count("session.keys") > 0 {
					t.Errorf("%d lines; %d blame the keys", n, log.count("session.keys"))
				}
				if n := testutil.ToFloat64(r.deps.Metrics.lost); n != 2 {
					t.Errorf("%v are counted as lost", n)
				}
			})
		})
	}
}

// TestQueueSaysWhyAnEntryCannotBeRead checks that the list of the queue blames session.keys only for a missing key.
func TestQueueSaysWhyAnEntryCannotBeRead(t *testing.T) {
	t.Parallel()
	e := newEnv(t, usualProperties())
	e.addSealed("login")
	r := e.replica()
	e.key = seal.NewKey()
	e.enqueue(e.replica(), testLogin("ada@example.com"))
	page, err := r.Waiting(t.Context(), "", 10)
	want := []string{"cannot be decoded", "cannot be decrypted: its key is no longer in session.keys"}
	if err != nil || len(page.Entries) != 2 {
		t.Fatal(page, err)
	}
	for i, text := range want {
		if page.Entries[i].LastError != text {
			t.Errorf("%q, want %q", page.Entries[i].LastError, text)
		}
	}
}
