package session

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/realredis"
)

const many = 100_000

// TestListOfAHundredThousandReadsOnlyItsPage pages through a real Redis while sessions begin and end. Every page takes
// as many commands as the others, and none iterates over the keys.
func TestListOfAHundredThousandReadsOnlyItsPage(t *testing.T) {
	t.Parallel()
	server := realredis.Start(t)
	w := newWorld(t)
	w.clock.now = time.Now() // the real Redis uses the real clock
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr})
	t.Cleanup(func() { rdb.Close() })
	m, err := New(w.cfg, Deps{
		Redis: rdb, Block: rdb, Ring: w.ring, Log: slog.New(slog.DiscardHandler),
		Metrics: NewMetrics(prometheus.NewRegistry()), Now: w.clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	m.Set(Settings{Config: w.cfg, Issuer: issuer, ClientID: clientID})
	refs := w.populate(m, rdb, many)

	seen, pages := w.pageThrough(m, rdb, refs)
	missed := 0
	for _, ref := range refs {
		if seen[ref] > 1 {
			t.Fatalf("%s is on %d pages", ref, seen[ref])
		}
		if seen[ref] == 0 {
			missed++
		}
	}
	if missed > 2*pages/10 {
		t.Errorf("%d of %d are on no page, and %d ended", missed, many, 2*(pages/10))
	}
	if n, err := m.EndUser(t.Context(), issuer, "user-7"); n != 1 || err != nil {
		t.Errorf("one user: %d %v", n, err)
	}
	for name := range commandsByName(t, rdb) {
		switch name {
		case "keys", "scan", "zscan", "sscan", "hscan", "randomkey", "zrangebyscore":
			t.Errorf("iterates over Redis: %s", name)
		}
	}
}

// pageThrough lists all sessions, ends and starts some between the pages, and compares each page's number of commands
// with the first page's.
func (w *world) pageThrough(m *Manager, rdb *redis.Client, refs []string) (seen map[string]int, pages int) {
	w.t.Helper()
	seen = map[string]int{}
	first, cursor := 0, ""
	for {
		before := commands(w.t, rdb)
		listing, err := m.List(w.t.Context(), Query{Cursor: cursor, Limit: 1000})
		if err != nil {
			w.t.Fatal(err)
		}
		asked := commands(w.t, rdb) - before
		if pages++; pages == 1 {
			first = asked
		} else if asked > first+3*len(digits) { // a page may continue in other lists
			w.t.Errorf("page %d takes %d commands, the first %d", pages, asked, first)
		}
		for _, s := range listing.Sessions {
			seen[s.Ref]++
		}
		if cursor = listing.Next; cursor == "" {
			w.t.Logf("%d pages, %d commands for the first", pages, first)
			return seen, pages
		}
		if pages%10 == 0 { // one that was listed, and one that was not yet
			for _, ref := range []string{listing.Sessions[len(listing.Sessions)-1].Ref, refs[many-pages]} {
				if _, err := m.EndRef(w.t.Context(), ref); err != nil {
					w.t.Fatal(err)
				}
			}
			w.login(m, ada())
		}
	}
}

// populate writes the summaries and list entries of n sessions as logins do, many at once.
func (w *world) populate(m *Manager, rdb *redis.Client, n int) []string {
	w.t.Helper()
	now := w.clock.Now()
	refs := make([]string, 0, n)
	for len(refs) < n {
		pipe := rdb.Pipeline()
		for range min(1000, n-len(refs)) {
			s := ada()
			i := len(refs)
			s.Ref, s.Subject, s.Email = newTicket().ref(), fmt.Sprint("user-", i), fmt.Sprintf("user-%d@example.com", i)
			s.CreatedAt, s.LastSeenAt = now, now
			s.ExpiresAt = now.Add(time.Hour + time.Duration(i/10)*time.Millisecond) // ten with the same score
			summary := encodeSummary(m.deps.Ring, s.Ref, toSummary(&s))
			pipe.Set(w.t.Context(), m.store.keys.summary(s.Ref), summary, time.Hour)
			for _, key := range m.currentLists(&s) {
				pipe.ZAdd(w.t.Context(), key, redis.Z{Score: float64(s.ExpiresAt.UnixMilli()), Member: s.Ref})
			}
			refs = append(refs, s.Ref)
		}
		if _, err := pipe.Exec(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
	return refs
}

// commands returns how many commands Redis has processed, without INFO.
func commands(t *testing.T, rdb *redis.Client) (n int) {
	for name, calls := range commandsByName(t, rdb) {
		if name != "info" {
			n += calls
		}
	}
	return n
}

var commandStat = regexp.MustCompile(`cmdstat_([a-z|-]+):calls=(\d+)`)

func commandsByName(t *testing.T, rdb *redis.Client) map[string]int {
	t.Helper()
	info, err := rdb.Info(context.Background(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	stats := map[string]int{}
	for _, stat := range commandStat.FindAllStringSubmatch(info, -1) {
		stats[stat[1]], _ = strconv.Atoi(stat[2])
	}
	return stats
}
