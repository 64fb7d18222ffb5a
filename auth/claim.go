package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/session"
)

// delivery is a callback that may finish a login: an authentic state, this browser's attempt, and the code.
type delivery struct {
	state   state
	attempt *attempt
	code    string
}

func (h *Handler) claimKey(st state) string  { return h.deps.KeyPrefix + "a:{" + st.hash() + "}" }
func (h *Handler) resultKey(st state) string { return h.claimKey(st) + ":r" }

const (
	finishTime = 15 * time.Second        // the provider's answers and Redis' together
	storeTime  = 1200 * time.Millisecond // one question to Redis, connections and repeats included
)

// finish claims the attempt, spends the code and begins the session. It goes on when the browser hangs up: on a double click the first
// delivery is cut off, and the second waits for its result.
func (h *Handler) finish(w http.ResponseWriter, r *http.Request, d delivery) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), finishTime)
	defer cancel()
	r = r.WithContext(ctx)
	switch won, err := h.claim(ctx, d.state, d.attempt); {
	case err != nil:
		note(r, "store", err)
		h.setAttempt(w, r, d.state, d.attempt, attemptKept) // with the claim that may have been made
		h.unavailable(w, r, causeStore, "")                 // the same address: the code is not written into a page
	case !won:
		h.second(w, r, d.state, d.attempt)
	default:
		h.spend(w, r, d)
	}
}

// claimScript takes an attempt that nobody has, or that the claimant took in vain before: the answers to its claims were lost, so the
// code was not spent. Which of them Redis has heard of is not known. A script that is sent again finds its own claim.
var claimScript = redis.NewScript(`
local holder = redis.call("GET", KEYS[1])
if holder and holder ~= ARGV[1] then
  local name, try = string.match(holder, "^(%w+):(%d+):")
  if name ~= ARGV[2] or tonumber(try) > tonumber(ARGV[3]) then return 0 end
end
redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[4])
return 1`)

// claim makes sure that one delivery finishes the attempt (RP-03). When Redis gives no answer the code is not spent, and the attempt
// remembers the claim.
func (h *Handler) claim(ctx context.Context, st state, a *attempt) (won bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	if a.Claim == "" {
		a.Claim = rand.Text()
	}
	before := a.Tries
	a.Tries++
	ours := fmt.Sprintf("%s:%d:%s", a.Claim, a.Tries, rand.Text())
	n, err := claimScript.Run(ctx, h.deps.Redis, []string{h.claimKey(st)}, ours, a.Claim, before, attemptTime.Milliseconds()).Int()
	return n == 1, err
}

// spend exchanges the code and begins the session.
func (h *Handler) spend(w http.ResponseWriter, r *http.Request, d delivery) {
	a, left := d.attempt, false
	defer func() {
		if !left {
			h.finishClaim(r.Context(), d.state)
		}
	}()
	id, tokens, err := h.exchange(r.Context(), r, a, d.code)
	if err != nil {
		h.exchangeError(w, r, a, err)
		return
	}
	s, err := h.deps.Sessions.Start(w, r, session.Session{
		User: id.user, Tokens: tokens, ClientID: a.ClientID, AuthTime: id.authTime, PromptedAt: a.promptedAt(), SID: id.sid,
	})
	if errors.Is(err, session.ErrTooLarge) { // trying again would not help
		note(r, causeTooLarge, err)
		h.failed(w, r, http.StatusInternalServerError, causeTooLarge, a.ReturnTo)
		return
	}
	if err != nil {
		note(r, "store", err)
		h.unavailable(w, r, causeStore, h.startURL(a.ReturnTo))
		return
	}
	h.deps.Provider.lower(grantCode)
	h.deps.Metrics.finished.WithLabelValues("ok", "none").Inc()
	dependency.Observe(h.deps.Metrics.duration, h.deps.Now().Sub(a.Began), inbound.Of(r).TraceID)
	inbound.Of(r).Outcome.SessionRef = s.Ref
	if a.Shortened {
		inbound.Of(r).Outcome.Reason = reasonShortened
	}
	h.deps.OnLogin(r, s, a.ReturnTo)
	h.finished(w, r)
	left = h.leaveResult(r.Context(), d.state, a, w.Header()["Set-Cookie"])
	h.setAttempt(w, r, d.state, a, time.Minute) // for a second delivery
	h.redirect(w, a.ReturnTo)
}

func (a *attempt) promptedAt() time.Time {
	if a.Prompted {
		return a.Began
	}
	return time.Time{}
}
