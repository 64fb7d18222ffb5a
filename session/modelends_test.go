package session

import (
	"fmt"
	"net/http/httptest"
	"time"
)

// How sessions end in the model, and how Redis comes back.

// finish is a logout.
func (r *run) finish() {
	if len(r.twins) == 0 {
		return
	}
	n, i := r.pick(), r.rng.IntN(2)
	w := r.twins[n]
	if r.visitAt(n, 1-i); w.ended { // the other replica has it in its cache, if it ever does
		return
	}
	heard, release := r.replicas[1-i].Ended(w.ref)
	defer release()
	_, err := r.replicas[i].End(httptest.NewRecorder(), r.request(w.cookie))
	r.note("logout %d on replica %d: %v", n, i, err)
	w.ended, w.endedBy = true, i
	if err == nil && !r.outage && r.stop[1-i] != nil {
		r.await(heard)
	}
	r.visitAt(n, 1-i)
}

// finishEverybody is an operator who ends whole users.
func (r *run) finishEverybody() {
	for n, w := range r.twins {
		if w.ended || r.rng.IntN(3) > 0 {
			continue
		}
		i := r.rng.IntN(2)
		heard, release := r.replicas[1-i].Ended(w.ref)
		count, err := r.replicas[i].EndUser(r.t.Context(), issuer, fmt.Sprint("user-", n))
		r.note("operator ends %d on replica %d: %d %v", n, i, count, err)
		if err != nil {
			r.t.Error(err)
		}
		w.ended, w.endedBy = true, i
		if count > 0 && r.stop[1-i] != nil {
			r.await(heard)
		}
		release()
	}
}

func (r *run) await(heard <-chan struct{}) {
	select {
	case <-heard:
	case <-time.After(30 * time.Second):
		r.t.Error("an end was never heard by the other replica")
	}
}

// heal brings Redis back and waits until what was put off has been done: ended records are gone, idle clocks have caught up.
func (r *run) heal() {
	r.note("redis back")
	r.redis.SetError("")
	r.outage = false
	for n, w := range r.twins { // Redis may not have taken the end yet: whoever ended a session knows
		if w.ended {
			r.visitAt(n, w.endedBy)
		}
	}
	for i := range r.replicas {
		r.listen(i)
	}
	for n, w := range r.twins {
		record, summary := r.replicas[0].store.keys.record(w.ref), r.replicas[0].store.keys.summary(w.ref)
		r.eventually(fmt.Sprint("session ", n, " is as it should be in redis"), func() bool {
			if w.ended || !r.redis.Exists(record) {
				return !r.redis.Exists(record)
			}
			sealed, _ := r.redis.Get(summary)
			u, err := decodeSummary(r.ring, w.ref, []byte(sealed))
			return err == nil && w.used.Sub(fromMillis(u.Seen)) <= r.cfg.IdleTimeout.D()/10
		})
	}
}
