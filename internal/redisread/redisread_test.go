package redisread_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/redisread"
)

func newRedis(t *testing.T) (*miniredis.Miniredis, *redis.Client) {
	t.Helper()
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1})
	t.Cleanup(func() { rdb.Close() })
	return server, rdb
}

func TestTextIsEmptyForAbsentAndMistypedKeys(t *testing.T) {
	t.Parallel()
	server, rdb := newRedis(t)
	server.Set("long", strings.Repeat("x", 100))
	server.Lpush("list", "x")
	for key, want := range map[string]int{"absent": 0, "list": 0, "long": 11} {
		got, err := redisread.Text(redisread.Request(t.Context(), rdb, key, 10), nil)
		if err != nil || len(got) != want {
			t.Errorf("%s: %d bytes, %v", key, len(got), err)
		}
	}
	unsent := redis.NewCmd(t.Context(), "getrange")
	if _, err := redisread.Text(unsent, errors.New("refused")); !errors.Is(err, redisread.ErrNoReply) {
		t.Errorf("a command that was not sent: %v", err)
	}
}

func TestBatcherGivesEachRequestItsValues(t *testing.T) {
	t.Parallel()
	server, rdb := newRedis(t)
	b := &redisread.Batcher{Redis: rdb, Max: 10, Timeout: time.Minute}
	var wg sync.WaitGroup
	for i := range 50 {
		first, second := fmt.Sprint("first", i), fmt.Sprint("second", i)
		server.Set(first, fmt.Sprint(i))
		wg.Go(func() {
			if got, err := b.Get(t.Context(), first, second); err != nil || got != [2]string{fmt.Sprint(i), ""} {
				t.Errorf("%d: %q, %v", i, got, err)
			}
		})
	}
	wg.Wait()
}

func TestListRemovesOversizedMembers(t *testing.T) {
	t.Parallel()
	server, rdb := newRedis(t)
	const members = 2*redisread.PageSize + 7
	for i := range members {
		server.ZAdd("list", float64(i), fmt.Sprint("m", i))
		server.ZAdd("list", float64(i), strings.Repeat("x", 40)+fmt.Sprint(i))
	}
	list := redisread.List{Redis: rdb, Key: "list", MaxMember: 32}
	seen := map[string]bool{}
	err := list.Each(t.Context(), func(z redis.Z) { seen[z.Member.(string)] = true })
	if left, _ := server.ZMembers("list"); err != nil || len(seen) != members || len(left) != members {
		t.Errorf("%d members read, %d left, %v", len(seen), len(left), err)
	}
	if _, _, err := list.From(t.Context(), members, 1); !errors.Is(err, redisread.ErrEnd) {
		t.Errorf("after the last member: %v", err)
	}
}

func TestListOfAnotherTypeIsAnError(t *testing.T) {
	t.Parallel()
	server, rdb := newRedis(t)
	server.Set("list", "x")
	err := redisread.List{Redis: rdb, Key: "list", MaxMember: 32}.Each(t.Context(), func(redis.Z) {})
	if !redisread.IsWrongType(err) {
		t.Errorf("%v", err)
	}
}
