package hubspot

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/hubspot/outbox"
)

// rangeCounter notes the largest number of entries that one command asks for.
type rangeCounter struct{ most atomic.Int64 }

func (c *rangeCounter) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *rangeCounter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (c *rangeCounter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if args := cmd.Args(); args[0] == "xrange" && args[2] != args[3] {
			n := int64(1 << 30) // without a limit
			if len(args) == 6 {
				n, _ = args[5].(int64)
			}
			c.most.Store(max(c.most.Load(), n))
		}
		return next(ctx, cmd)
	}
}

// fill adds entries and dead letters with a claim of a size.
func (e *env) fill(n, size int) {
	e.t.Helper()
	for i := range n {
		l := testLogin(fmt.Sprintf("p%d@example.com", i))
		l.Claims["note"] = strings.Repeat("x", size)
		entry, err := json.Marshal(outbox.Entry{Login: l})
		if err != nil {
			e.t.Fatal(err)
		}
		e.addSealed(string(entry))
		e.addTo("hubgate:{crm}:dead", `{"entry":`+string(entry)+`}`)
	}
}

// pages reads a listing from its start and returns the addresses and the sizes of the pages.
func pages(t *testing.T, read func(cursor string) (emails []string, next string, err error)) (all, sizes []string) {
	t.Helper()
	for cursor := ""; ; {
		emails, next, err := read(cursor)
		if err != nil || next == cursor && next != "" {
			t.Fatal(next, err)
		}
		all, sizes = append(all, emails...), append(sizes, fmt.Sprint(len(emails)))
		if cursor = next; cursor == "" {
			return all, sizes
		}
	}
}

// TestListsAreReadInParts checks that a listing asks Redis for at most 100 entries at a time, which have up to 256 KiB
// each, and that its pages are complete.
func TestListsAreReadInParts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		entries, size, limit int
		want                 string
	}{
		"one page":      {entries: 250, limit: 1000, want: "250"},
		"exactly":       {entries: 200, limit: 200, want: "200"},
		"several pages": {entries: 250, limit: 120, want: "120 120 10"},
		"large entries": {entries: 150, size: 100 << 10, limit: 1000, want: "100 50"},
		"nothing":       {limit: 1000, want: "0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t, usualProperties())
			e.fill(c.entries, c.size)
			client, counter := e.dial(), &rangeCounter{}
			client.AddHook(counter)
			r := e.replicaOn(client, e.http)
			waiting := func(cursor string) (emails []string, next string, err error) {
				page, err := r.Waiting(t.Context(), cursor, c.limit)
				for _, entry := range page.Entries {
					emails = append(emails, entry.Email)
				}
				return emails, page.Next, err
			}
			dead := func(cursor string) (emails []string, next string, err error) {
				page, err := r.Dead(t.Context(), cursor, c.limit)
				for _, letter := range page.Dead {
					emails = append(emails, letter.Email)
				}
				return emails, page.Next, err
			}
			for what, read := range map[string]func(string) ([]string, string, error){"queue": waiting, "dead": dead} {
				all, sizes := pages(t, read)
				if got := strings.Join(sizes, " "); got != c.want {
					t.Errorf("%s: pages of %s, want %s", what, got, c.want)
				}
				for i, email := range all {
					if email != fmt.Sprintf("p%d@example.com", i) {
						t.Fatalf("%s: entry %d is %s", what, i, email)
					}
				}
			}
			if n, err := r.Replay(t.Context(), nil, true); n != c.entries || err != nil {
				t.Errorf("%d replayed, %v", n, err)
			}
			if _, err := r.Show(t.Context(), "p1@example.com", nil); err != nil {
				t.Error(err)
			}
			if n := counter.most.Load(); n > 100 {
				t.Errorf("%d entries are read at once", n)
			}
		})
	}
}
