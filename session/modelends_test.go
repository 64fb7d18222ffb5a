package session

import (
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/hubgate/hubgate/internal/fields"
)

// How sessions end in the model, and how Redis recovers.

// finish is a logout.
func (r *history) finish() {
	if len(r.sessions) == 0 {
		return
	}
	n, i := r.pick(), r.rng.IntN(2)
	w := r.sessions[n]
	if r.visitAt(n, 1-i); w.ended { // now the other replica may have it in its cache
		return
	}
	ended, release := r.replicas[1-i].Ended(w.ref)
	defer release()
	_, err := r.replicas[i].End(httptest.NewRecorder(), r.request(w.cookie))
	r.note("logout %d on replica %d: %v", n, i, err)
	w.ended, w.endedBy = true, i
	if err == nil && !r.outage && r.stop[1-i] != nil {
		r.await(ended)
	}
	r.visitAt(n, 1-i)
}

// finishEverybody ends all sessions of some users.
func (r *history) finishEverybody() {
	for n, w := range r.sessions {
		if w.ended || r.rng.IntN(3) > 0 {
			continue
		}
		i := r.rng.IntN(2)
		ended, release := r.replicas[1-i].Ended(w.ref)
		count, err := r.replicas[i].EndUser(r.t.Context(), issuer, fmt.Sprint("user-", n))
		r.note("operator ends %d on replica %d: %d %v", n, i, count, err)
		if err != nil {
			r.t.Error(err)
		}
		w.ended, w.endedBy = true, i
		if count > 0 && r.stop[1-i] != nil {
			r.await(ended)
		}
		release()
	}
}

func (r *history) await(ended <-chan struct{}) {
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		r.t.Error("the other replica never received an end")
	}
}

// heal brings Redis back and waits for the retries: ended records are gone, idle clocks are saved.
func (r *history) heal() {
	r.note("redis up")
	r.redis.SetError("")
	r.outage = false
	for n, w := range r.sessions { // Redis may not have the end yet, but the replica that ended it has
		if w.ended {
			r.visitAt(n, w.endedBy)
		}
	}
	for i := range r.replicas {
		r.subscribe(i)
	}
	for n, w := range r.sessions {
		record, summary := r.replicas[0].store.keys.record(w.ref), r.replicas[0].store.keys.summary(w.ref)
		r.eventually(fmt.Sprint("session ", n, " is right in redis"), func() bool {
			if w.ended || !r.redis.Exists(record) {
				return !r.redis.Exists(record)
			}
			sealed, _ := r.redis.Get(summary)
			u, err := decodeSummary(r.ring, w.ref, []byte(sealed))
			return err == nil && w.used.Sub(fields.FromMillis(u.Seen)) <= r.cfg.IdleTimeout.D()/10
		})
	}
}
