package outbox

import (
	"fmt"
	"testing"
	"time"
)

// waiting describes an entry of the queue.
type waiting struct {
	subject, email       string
	imported, held, wait bool // wait: until an hour from now
}

func (w waiting) queued(i int, now time.Time) Queued {
	q := Queued{ID: fmt.Sprintf("%d-0", i+1), entry: Entry{
		Login: Login{Subject: w.subject, Email: w.email}, Imported: w.imported,
	}}
	if w.wait {
		q.State = State{Attempts: 1, Next: now.Add(time.Hour).UnixMilli(), Held: w.held}
	}
	return q
}

// TestPickKeepsTheOrderOfAnAddress checks which jobs of an address wait for each other: not a login for a person of a
// file or for a login that is sent already, but never two in one call.
func TestPickKeepsTheOrderOfAnAddress(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1_800_000_000_000)
	const a, b = "a@example.com", "b@example.com"
	for name, c := range map[string]struct {
		queue []waiting
		want  string
	}{
		"two logins":              {[]waiting{{subject: "1", email: a}, {subject: "2", email: a}}, "[1]"},
		"letter case":             {[]waiting{{subject: "1", email: a}, {subject: "2", email: "A@example.com"}}, "[1]"},
		"a login after a delayed": {[]waiting{{subject: "1", email: a, wait: true}, {subject: "2", email: a}}, "[]"},
		"a login after a held": {
			[]waiting{{subject: "1", email: a, wait: true, held: true}, {subject: "2", email: a}}, "[2]",
		},
		"a login after an import": {[]waiting{{subject: "1", email: a, imported: true}, {subject: "2", email: a}}, "[2]"},
		"a login after a delayed import": {
			[]waiting{{subject: "1", email: a, imported: true, wait: true}, {subject: "2", email: a}}, "[2]",
		},
		"an import after a delayed login": {
			[]waiting{{subject: "1", email: a, wait: true}, {subject: "2", email: a, imported: true}}, "[]",
		},
		"an import after a delayed import": {
			[]waiting{{subject: "1", email: a, imported: true, wait: true}, {subject: "2", email: a, imported: true}}, "[]",
		},
		"imports come last": {
			[]waiting{{subject: "1", email: a, imported: true}, {subject: "2", email: b}}, "[2 1]",
		},
	} {
		p := NewPending()
		for i, w := range c.queue {
			p.Add(w.queued(i, now))
		}
		ready, total := p.Pick(now, 10)
		got := []string{}
		for _, j := range ready {
			got = append(got, j.Login.Subject)
		}
		if fmt.Sprint(got) != c.want || total != len(got) {
			t.Errorf("%s: %v, want %s, %d in total", name, got, c.want, total)
		}
		if some, all := p.Pick(now, 1); len(some) != min(1, len(got)) || all != total {
			t.Errorf("%s: %d of %d jobs", name, len(some), all)
		}
	}
}
