package session

import (
	"net/http"
	"testing"
	"time"

	"github.com/hubgate/hubgate/internal/seal"
)

// rotation is one Redis with two replicas, each with its own ring.
type rotation struct {
	*world
	older, newer string
	rings        [2]*seal.Ring
	replicas     [2]*Manager
	cookies      map[string]*http.Cookie // by the record's name
}

func newRotation(t *testing.T, refresh func(*world) RefreshFunc) *rotation {
	r := &rotation{world: newWorld(t), older: seal.NewKey(), newer: seal.NewKey(), cookies: map[string]*http.Cookie{}}
	for i := range r.replicas {
		ring, err := seal.New(r.older)
		if err != nil {
			t.Fatal(err)
		}
		r.ring = ring
		r.rings[i], r.replicas[i] = ring, r.replica(refresh(r.world))
	}
	return r
}

// step sets the keys of one replica, as a reload does.
func (r *rotation) step(i int, keys ...string) {
	r.t.Helper()
	if err := r.rings[i].Set(keys...); err != nil {
		r.t.Fatal(err)
	}
}

// works checks that every session so far is accepted by every replica and listed once.
func (r *rotation) works(step string) {
	r.t.Helper()
	for i := range r.replicas {
		cookie, s := r.login(r.replicas[i], r.shortLived())
		r.cookies[s.Ref] = cookie
	}
	for i, m := range r.replicas {
		for ref, cookie := range r.cookies {
			if got := r.reason(m, cookie); got != "" {
				r.t.Errorf("%s: session %[3]s on replica %[2]d: %[4]s", step, i, ref, got)
			}
		}
		for name, q := range map[string]Query{"all": {Limit: 3}, "by email": {Limit: 3, Email: "Ada@Example.com"}} {
			shown, _ := r.listAll(m, q)
			for ref := range r.cookies {
				if shown[ref] != 1 {
					r.t.Errorf("%s: replica %d lists (%s) session %s %d times", step, i, name, ref, shown[ref])
				}
			}
		}
	}
}

func noRefresh(*world) RefreshFunc { return nil }

func TestKeyRotationReplicaByReplica(t *testing.T) {
	t.Parallel()
	r := newRotation(t, noRefresh)
	r.works("before")
	r.step(0, r.older, r.newer)
	r.works("one replica has the new key")
	r.step(1, r.older, r.newer)
	r.works("both have it")
	r.step(0, r.newer, r.older)
	r.works("one seals with it")
	r.step(1, r.newer, r.older)
	r.works("both seal with it")
	r.clock.pass(6 * time.Minute)
	r.works("the clocks are written, with the new key") // and the lists with them
	old := r.rings[0].IDs()[1].String()
	if inUse, err := r.replicas[0].KeysInUse(t.Context()); err != nil || inUse[old].IsZero() || len(inUse) != 2 {
		t.Errorf("in use: %v, %v; the older key %s still is", inUse, err, old)
	}
	if n, err := r.replicas[1].EndUser(t.Context(), issuer, ada().Subject); err != nil || n != len(r.cookies) {
		t.Errorf("EndUser ended %d of %d: %v", n, len(r.cookies), err)
	}
	for ref, cookie := range r.cookies {
		if got := r.reason(r.replicas[0], cookie); got != string(RecordMissing) {
			t.Errorf("session %s: %q", ref, got)
		}
	}
}

func TestKeyIsInUseOnceItSealsASession(t *testing.T) {
	t.Parallel()
	r := newRotation(t, func(w *world) RefreshFunc { return (&provider{}).refresh(w) })
	cookie, s := r.login(r.replicas[0], r.shortLived())
	for i := range r.rings {
		r.step(i, r.newer, r.older)
	}
	id := r.rings[0].IDs()[0].String()
	if inUse, _ := r.replicas[0].KeysInUse(t.Context()); !inUse[id].IsZero() {
		t.Fatalf("nothing is sealed with the new key, and in use is %v", inUse)
	}
	r.clock.pass(59*time.Minute + 30*time.Second) // the access token expires soon
	if _, err := r.replicas[1].Peek(r.request(cookie)); err != nil {
		t.Fatal(err)
	}
	inUse, err := r.replicas[0].KeysInUse(t.Context())
	if err != nil || inUse[id].Before(s.ExpiresAt) {
		t.Errorf("a refreshed session is sealed with the new key until %v, and in use is %v %v", s.ExpiresAt, inUse, err)
	}
	r.step(1, r.newer) // this session's record no longer needs the older key
	ticket := ticketIn(t, cookie, r.rings[0])
	if _, _, err := decodeRecord(r.rings[1], ticket, []byte(r.stored(s.Ref)), bindingOf(s)); err != nil {
		t.Errorf("the record: %v", err)
	}
}

func ticketIn(t *testing.T, cookie *http.Cookie, ring *seal.Ring) ticket {
	t.Helper()
	ticket, ok := parseTicket(cookie.Value, ring)
	if !ok {
		t.Fatal("the cookie does not open")
	}
	return ticket
}

func (w *world) stored(ref string) string {
	w.t.Helper()
	stored, err := w.redis.Get("hubgate:s:{" + ref + "}")
	if err != nil {
		w.t.Fatal(err)
	}
	return stored
}
