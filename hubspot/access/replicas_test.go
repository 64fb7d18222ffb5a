package access

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/realredis"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/session"
)

func TestReplicasShareAnswers(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, b, ada := w.replica(), w.replica(), w.member("ada", "101", "1")
		here := w.know(a, ada, false)
		synctest.Wait()
		w.hubspot.received()
		there, took := w.timed(b, ada, false)
		if there == nil || !there.ReadAt.Equal(here.ReadAt) || !there.Lists["1"] || took != 0 {
			t.Errorf("%+v after %s", there, took)
		}
		if calls := w.hubspot.received(); len(calls) > 0 {
			t.Errorf("%d calls", len(calls))
		}
	})
}

func TestOneReplicaReadsInTheBackground(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, b, ada := w.replica(), w.replica(), w.member("ada", "101", "1")
		first := w.know(a, ada, false)
		w.know(b, ada, false)
		w.hubspot.received()
		time.Sleep(w.cfg.Refresh.D() + time.Second)
		for range 200 {
			w.know(a, ada, false)
			w.know(b, ada, false)
			time.Sleep(time.Second)
		}
		if calls := w.hubspot.received(); len(calls) != 2 {
			t.Errorf("%d calls", len(calls))
		}
		x, y := w.know(a, ada, false), w.know(b, ada, false)
		if !x.ReadAt.After(first.ReadAt) || !y.ReadAt.Equal(x.ReadAt) {
			t.Errorf("read at %s and %s", x.ReadAt, y.ReadAt)
		}
	})
}

func TestReplicaReadsWhatAnotherFailedToRead(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, b, ada := w.replica(), w.replica(), w.member("ada", "101", "1")
		first := w.know(a, ada, false)
		broken := &brokenReader{Reader: a.deps.Spare, failure: context.DeadlineExceeded}
		a.deps.Spare = broken
		time.Sleep(w.cfg.Refresh.D() + time.Second)
		w.know(a, ada, false)
		time.Sleep(2 * time.Minute)
		w.know(b, ada, false)
		time.Sleep(2 * time.Minute)
		if known := w.know(b, ada, false); !known.ReadAt.After(first.ReadAt) {
			t.Error("not read")
		}
	})
}

// TestCrowdCostsTwoCallsForAHundredPeople checks what five thousand active visitors, who request a page every five
// minutes from either replica, cost while all are read again once.
func TestCrowdCostsTwoCallsForAHundredPeople(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		const crowd, perSecond = 5_000, 17
		w.mini.ClockTTL(false) // looks at every key for every command
		replicas := []*Access{w.replica(), w.replica()}
		w.hubspot.setLatency(200 * time.Millisecond)
		people := make([]*session.Session, crowd)
		for i := range people {
			people[i] = w.member("m"+strconv.Itoa(i), strconv.Itoa(100_000+i), "1")
		}
		random := rand.New(rand.NewPCG(1, 2))
		for some := range slices.Chunk(people, crowd/300) { // they come over the time of one refresh
			w.knowAll(replicas[random.IntN(2)], some)
			time.Sleep(w.cfg.Refresh.D()/300 - 420*time.Millisecond)
		}
		w.hubspot.received()
		for next := 0; next < 7*crowd; next += perSecond { // 34 minutes
			for i := range perSecond {
				if w.know(replicas[random.IntN(2)], people[(next+i)%crowd], false) == nil {
					t.Fatal("unknown")
				}
			}
			time.Sleep(time.Second)
			if next%(10*perSecond) == 0 {
				w.mini.FastForward(10 * time.Second)
			}
		}
		calls := w.hubspot.received()
		refreshes := float64(7*crowd/perSecond) / w.cfg.Refresh.D().Seconds()
		if float64(len(calls)) > refreshes*2*crowd/batchSize {
			t.Errorf("%d calls in %.1f refreshes", len(calls), refreshes)
		}
		if most := mostWithin(calls, w.cfg.Refresh.D()); most > 2*(crowd/batchSize+len(replicas)) { // each has a last batch
			t.Errorf("%d calls in one refresh", most)
		}
		if most := mostWithin(calls, 10*time.Second); most > 20 {
			t.Errorf("%d calls in ten seconds", most)
		}
		if read := inputsOf(calls); read < 2*crowd { // an address and a contact of everyone
			t.Errorf("only %d reads", read)
		}
	})
}

func inputsOf(calls []apiCall) (n int) {
	for _, c := range calls {
		n += len(c.inputs)
	}
	return n
}

// TestCrowdThatComesAtOnceIsSpread checks that people who were read together, as after an outage, are not read together
// again.
func TestCrowdThatComesAtOnceIsSpread(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a := w.replica()
		people := make([]*session.Session, 3000)
		for i := range people {
			people[i] = w.member("m"+strconv.Itoa(i), strconv.Itoa(100_000+i), "1")
		}
		for i, known := range w.knowAll(a, people) {
			if known == nil {
				t.Fatalf("%d is unknown", i)
			}
		}
		if calls := w.hubspot.received(); len(calls) > 2*len(people)/batchSize+2*maxBatches {
			t.Errorf("%d calls at first", len(calls))
		}
		time.Sleep(w.cfg.Refresh.D() + time.Second)
		w.knowAll(a, people)
		time.Sleep(2 * time.Minute)
		calls := w.hubspot.received()
		if len(calls) != 2*len(people)/batchSize || mostWithin(calls, 10*time.Second) > 24 {
			t.Errorf("%d calls, %d in ten seconds", len(calls), mostWithin(calls, 10*time.Second))
		}
	})
}

// mostWithin returns the largest number of calls in a time.
func mostWithin(calls []apiCall, d time.Duration) (most int) {
	for i, first := range calls {
		n := 0
		for _, c := range calls[i:] {
			if c.at.Sub(first.at) < d {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// TestReplicasShareARealRedis checks the scripts and the channel on a Redis server, in real time.
func TestReplicasShareARealRedis(t *testing.T) {
	t.Parallel()
	server := realredis.Start(t)
	w := newWorld(t)
	dial := func() redis.UniversalClient {
		client := redis.NewClient(&redis.Options{Addr: server.Addr})
		t.Cleanup(func() { client.Close() })
		return client
	}
	a, b, ada := w.start(w.idle(dial())), w.start(w.idle(dial())), w.member("ada", "101", "1")
	eventually(t, func() bool { return a.cache.resumed.Load() != 0 && b.cache.resumed.Load() != 0 })
	here, _ := a.Know(t.Context(), ada, false)
	if here == nil || !here.Lists["1"] {
		t.Fatalf("%+v", here)
	}
	var there *session.CRM
	eventually(t, func() bool { there, _ = b.Know(t.Context(), ada, false); return there != nil })
	changed, end := b.Watch(ada)
	defer end()
	w.member("ada", "101", "2")
	name, _ := personOf(w.ring, ada)
	a.readBatch(t.Context(), a.deps.Spare, []*ask{{person: name, group: batchSize, done: make(chan struct{})}})
	<-changed
	eventually(t, func() bool { known, _ := b.Know(t.Context(), ada, false); return known.Lists["2"] })
	asks := []*ask{{person: name}}
	won, err := a.store.claim(t.Context(), asks, time.Minute)
	lost, err2 := b.store.claim(t.Context(), asks, time.Minute)
	if err != nil || err2 != nil || !won[0] || lost[0] {
		t.Errorf("claims: %v %v, %v %v", won, lost, err, err2)
	}
	records := NewRecords(dial(), "hubgate:", w.ring)
	if n, err := records.Erase(t.Context(), "ADA@example.com"); n != 1 || err != nil {
		t.Errorf("%d are erased, %v", n, err)
	}
	eventually(t, func() bool { return b.cache.get(name.name()).known == nil })
}

// eventually waits for what happens in other goroutines, in real time.
func eventually(t *testing.T, done func() bool) {
	t.Helper()
	limit := time.After(30 * time.Second)
	for tick := time.NewTicker(5 * time.Millisecond); !done(); {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatal("timed out")
		}
	}
}

func TestRecordsAreFoundByAddressDuringKeyRotation(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, ada := w.replica(), w.member("ada", "101", "1")
		w.know(a, ada, false)
		w.know(a, w.member("bob", "102"), false)
		synctest.Wait() // until both are in Redis
		before := slices.DeleteFunc(w.mini.Keys(), func(key string) bool { return strings.Contains(key, ":at:") })
		old := w.ring.IDs()
		w.rotate()
		if slices.Equal(old, w.ring.IDs()) {
			t.Fatal("the key is the same")
		}
		w.hubspot.received()
		if known := w.know(w.replica(), ada, false); known == nil || len(w.hubspot.received()) > 0 {
			t.Errorf("%+v", known)
		}
		records := NewRecords(w.dial(), "hubgate:", w.ring)
		found, err := records.Find(t.Context(), "Ada@Example.com")
		if err != nil || len(found) != 1 || !found[0].Lists["1"] {
			t.Errorf("%+v, %v", found, err)
		}
		if n, err := records.Erase(t.Context(), "ada@example.com"); n != 1 || err != nil {
			t.Errorf("%d are erased, %v", n, err)
		}
		synctest.Wait()
		left := slices.DeleteFunc(w.mini.Keys(), func(key string) bool { return strings.Contains(key, ":at:") })
		if len(left) != len(before)-1 {
			t.Errorf("%v of %v are left", left, before)
		}
		if name, _ := personOf(w.ring, ada); a.cache.get(name.name()).known != nil {
			t.Error("a replica keeps its copy")
		}
	})
}

// rotate puts a new key before the one of the world.
func (w *world) rotate() {
	w.t.Helper()
	fresh := seal.NewKey()
	if err := w.ring.Set(fresh, w.key); err != nil {
		w.t.Fatal(err)
	}
}
