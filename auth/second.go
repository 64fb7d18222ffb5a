package auth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/singleflight"

	"github.com/hubgate/hubgate/internal/seal"
)

// This file answers a callback that is delivered again, by a double click or a browser's retry: it gets the answer of
// the first delivery. Anybody can begin a login and send its callback a thousand times with a code that was made up, so
// waiting is made cheap: the deliveries of one attempt share one reader of Redis, which asks less and less often, and
// their number is bounded.

const (
	resultKept  = 30 * time.Second
	resultWait  = 5 * time.Second
	resultFirst = 50 * time.Millisecond  // between two looks at Redis, at the beginning
	resultMost  = 800 * time.Millisecond // and at the end
	resultBytes = 64 << 10               // of a result that are read

	waitersOfOne = 32  // deliveries of one attempt that wait
	waitersMost  = 512 // deliveries that wait in this process
)

// finishedMark stands in the place of a claim whose delivery has been answered: nobody has to wait for it.
const finishedMark = "finished"

// result is what the winner leaves for a second delivery of the same callback.
type result struct {
	ReturnTo string   `json:"r"`
	Cookies  []string `json:"c"`
}

// waiting is who waits for a first delivery's result.
type waiting struct {
	flight singleflight.Group
	mu     sync.Mutex
	of     map[string]int // by attempt
	all    int
}

// enter reports whether one more may wait for an attempt.
func (q *waiting) enter(attempt string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.all >= waitersMost || q.of[attempt] >= waitersOfOne {
		return false
	}
	q.all++
	q.of[attempt]++
	return true
}

func (q *waiting) leave(attempt string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.all--
	if q.of[attempt]--; q.of[attempt] == 0 {
		delete(q.of, attempt)
	}
}

// second gives a delivery the answer of the one that finishes the attempt.
func (h *Handler) second(w http.ResponseWriter, r *http.Request, st state, a *attempt) {
	left, err := h.look(r.Context(), st)
	if err == nil && !left.finished && len(left.sealed) == 0 {
		if _, err := h.deps.Sessions.Peek(r); err == nil {
			h.redirect(w, a.ReturnTo)
			return
		}
		left, err = h.await(r.Context(), st)
	}
	if err != nil {
		note(r, "store", err)
		h.unavailable(w, r, causeStore, "")
		return
	}
	if kept := h.openResult(left.sealed, st, a); kept != nil {
		w.Header()["Set-Cookie"] = append(w.Header()["Set-Cookie"], kept.Cookies...)
		h.redirect(w, kept.ReturnTo)
		return
	}
	if _, err := h.deps.Sessions.Peek(r); err == nil {
		h.redirect(w, a.ReturnTo)
		return
	}
	note(r, causeUsed, nil)
	h.failed(w, r, http.StatusBadRequest, causeUsed, a.ReturnTo)
}

// outcome is what Redis knows of an attempt that another delivery has claimed.
type outcome struct {
	finished bool   // its delivery was answered
	sealed   []byte // its result; empty when there is none, or no longer
}

// await waits for the first delivery's outcome, at most resultWait. All that wait for one attempt share one reader. It
// does not depend on any of them: what cuts off a visitor must not look like a fault of Redis.
func (h *Handler) await(ctx context.Context, st state) (outcome, error) {
	if !h.waiting.enter(st.hash()) {
		return outcome{}, nil
	}
	defer h.waiting.leave(st.hash())
	ctx, cancel := context.WithTimeout(ctx, resultWait)
	defer cancel()
	for {
		answer := h.waiting.flight.DoChan(st.hash(), func() (any, error) { return h.poll(context.WithoutCancel(ctx), st) })
		select {
		case r := <-answer:
			if r.Err != nil {
				return outcome{}, r.Err
			}
			left := r.Val.(outcome)
			if left.finished || len(left.sealed) > 0 || ctx.Err() != nil {
				return left, nil
			} // else the reader began, and gave up, before this one's time was over
		case <-ctx.Done():
			return outcome{}, nil
		}
	}
}

// poll looks at Redis until the attempt is finished, or nobody who waits can be left.
func (h *Handler) poll(ctx context.Context, st state) (left outcome, err error) {
	defer recovered(&err)
	pause := resultFirst
	for waited := time.Duration(0); waited < resultWait; waited += pause {
		time.Sleep(pause)
		left, err = h.look(ctx, st)
		if err != nil || left.finished || len(left.sealed) > 0 {
			return left, err
		}
		pause = min(2*pause, resultMost)
	}
	return outcome{}, nil
}

// look asks Redis once, in one round trip. What is longer than any result is not read.
func (h *Handler) look(ctx context.Context, st state) (outcome, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
	defer cancel()
	pipe := h.deps.Redis.Pipeline()
	claim := pipe.GetRange(ctx, h.claimKey(st), 0, int64(len(finishedMark)))
	kept := pipe.GetRange(ctx, h.resultKey(st), 0, resultBytes)
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return outcome{}, err
	}
	left := outcome{finished: claim.Val() == finishedMark, sealed: []byte(kept.Val())}
	if len(left.sealed) > resultBytes {
		left.finished, left.sealed = true, nil
	}
	return left, nil
}

// leaveResult seals the result under a key that only the attempt's cookie holds: Redis alone cannot hand a session to
// anybody. It reports whether the others know that the attempt is finished.
func (h *Handler) leaveResult(ctx context.Context, st state, a *attempt, cookies []string) bool {
	text, err := json.Marshal(result{a.ReturnTo, cookies})
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	pipe := h.deps.Redis.Pipeline()
	pipe.Set(ctx, h.resultKey(st), h.deps.Ring.SealWith(seal.Result, a.Key, text, []byte(st.hash())), resultKept)
	pipe.SetArgs(ctx, h.claimKey(st), finishedMark, keepTime())
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		h.deps.Log.WarnContext(ctx, "a login's result was not kept for a second delivery", "error", err)
	}
	return true
}

// finishClaim notes that the delivery which claimed the attempt was answered without a result. When that fails, others
// wait in vain, and not for long.
func (h *Handler) finishClaim(ctx context.Context, st state) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
	defer cancel()
	_ = h.deps.Redis.SetArgs(ctx, h.claimKey(st), finishedMark, keepTime()).Err()
}

// keepTime marks a claim that is still there and leaves it its end.
func keepTime() redis.SetArgs { return redis.SetArgs{Mode: "XX", KeepTTL: true} }

// openResult opens what the winner left; nil when there is nothing that this browser's attempt can open.
func (h *Handler) openResult(sealed []byte, st state, a *attempt) *result {
	if len(sealed) == 0 {
		return nil
	}
	var kept result
	text, err := h.deps.Ring.OpenWith(seal.Result, a.Key, sealed, []byte(st.hash()))
	if err != nil || json.Unmarshal(text, &kept) != nil {
		return nil
	}
	return &kept
}
