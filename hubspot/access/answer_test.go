package access

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
)

func TestPropertyWithoutUsableValueIsUnknown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tier     any // what HubSpot sends
		known    bool
		want     []string
		leftAway bool
	}{
		"absent": {leftAway: true}, "yes": {tier: true}, "list": {tier: []string{"gold"}},
		"object": {tier: map[string]string{"value": "gold"}}, "null": {known: true},
		"empty": {tier: "", known: true}, "number": {tier: 7, known: true, want: []string{"7"}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				w.hubspot.setRefuse(func(call apiCall) *http.Response {
					if call.probe() || call.lists {
						return nil
					}
					properties := map[string]any{"email": call.inputs[0], "tier": c.tier}
					if c.leftAway {
						delete(properties, "tier")
					}
					return respond(http.StatusOK, map[string]any{"status": "COMPLETE",
						"results": []any{map[string]any{"id": "101", "properties": properties}}})
				})
				a, ada := w.replica(), w.member("ada", "101", "1")
				for range 20 {
					known := w.know(a, ada, false)
					if known == nil || !known.Lists["1"] {
						t.Fatalf("its lists are unknown as well: %+v", known)
					}
					if got, asked := known.Properties["tier"]; asked != c.known || !slices.Equal(got, c.want) {
						t.Fatalf("%v, known %v", got, asked)
					}
					time.Sleep(time.Second)
				}
				if calls := w.hubspot.received(); len(calls) != 2 {
					t.Errorf("%d calls", len(calls))
				}
			})
		})
	}
}

func TestSetForgetsAllWhenAccessIsSwitchedOff(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, ada := w.replica(), w.member("ada", "101", "1")
		w.know(a, ada, false)
		synctest.Wait()
		off := w.cfg
		off.Lists, off.Properties = nil, nil
		a.Set(off)
		w.mini.FlushAll()
		w.member("ada", "101")
		a.Set(w.cfg)
		if known := w.know(a, ada, false); known == nil || known.Lists["1"] {
			t.Errorf("%+v", known)
		}
	})
}

// TestRedisRecoveryEndsOutage checks that visitors are read as soon as Redis, which has the rate limit, is back.
func TestRedisRecoveryEndsOutage(t *testing.T) {
	t.Parallel()
	for _, outage := range []time.Duration{20 * time.Second, 3 * time.Minute, time.Hour} {
		t.Run(outage.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				a := w.idle(w.dial())
				down := &brokenReader{Reader: a.deps.Urgent, failure: errors.New("cannot read the rate limit from Redis")}
				a.deps.Urgent, a.deps.Spare = down, down
				w.start(a)
				synctest.Wait()
				w.know(a, w.member("ada", "101"), false)
				time.Sleep(outage)
				synctest.Wait()
				down.failure = nil
				a.onUp()
				time.Sleep(time.Second)
				if known := w.know(a, w.member("bob", "102"), false); known == nil {
					t.Error("unknown after Redis is back")
				}
			})
		})
	}
}

// TestWaitingVisitorsClaimOthersInOneRound checks that the people whom another replica has claimed do not delay a batch
// of visitors who wait.
func TestWaitingVisitorsClaimOthersInOneRound(t *testing.T) {
	t.Parallel()
	for _, crowd := range []int{150, 500, 1500} {
		t.Run(strconv.Itoa(crowd), func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				rdb := w.dial()
				a := w.start(w.idle(rdb))
				synctest.Wait()
				for i := range crowd {
					p, _ := personOf(w.ring, visitor("m"+strconv.Itoa(i)))
					_ = w.mini.Set(a.store.claims(p.name()), "1")
					a.queue.mu.Lock()
					a.queue.insert(p, later, false)
					a.queue.mu.Unlock()
				}
				var rounds atomic.Int64
				rdb.AddHook(countClaims{&rounds})
				if known := w.know(a, w.member("ada", "101", "1"), false); known == nil || rounds.Load() != 1 {
					t.Errorf("%+v after %d rounds of claims", known, rounds.Load())
				}
			})
		})
	}
}

// countClaims counts round trips to Redis that claim people.
type countClaims struct{ n *atomic.Int64 }

// DialHook does nothing.
func (countClaims) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook does nothing.
func (countClaims) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

// ProcessPipelineHook counts.
func (h countClaims) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if strings.Contains(cmds[0].String(), "{crm}:aq:") && strings.Contains(cmds[0].String(), " nx") {
			h.n.Add(1)
		}
		return next(ctx, cmds)
	}
}
