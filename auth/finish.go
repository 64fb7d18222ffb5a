package auth

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/hubgate/hubgate/auth/openid"
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

// finishTime bounds the requests to the provider and to Redis together.
const finishTime = 15 * time.Second

// finish claims the attempt, exchanges the code and starts the session. It continues when the request is canceled: on a
// double click the browser cancels the first callback, and the second waits for its result.
func (h *Handler) finish(w http.ResponseWriter, r *http.Request, d delivery) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), finishTime)
	defer cancel()
	r = r.WithContext(ctx)
	switch claimed, err := h.claims.take(ctx, d.state, d.attempt); {
	case err != nil:
		note(r, "store", err)
		h.attempts.save(w, r, d.state, d.attempt, attemptKept) // with the claim that may have been made
		h.replies.storeUnavailable(w, r, "")                   // the same address: the code does not appear in the page
	case !claimed:
		h.repeat(w, r, d)
	default:
		h.startSession(w, r, d)
	}
}

// startSession exchanges the code and starts the session.
func (h *Handler) startSession(w http.ResponseWriter, r *http.Request, d delivery) {
	a, settled := d.attempt, false
	defer func() {
		if !settled {
			h.claims.finish(r.Context(), d.state)
		}
	}()
	id, err := h.exchange(r, d)
	if err != nil {
		h.exchangeError(w, r, a, err)
		return
	}
	s, err := h.deps.Sessions.Start(w, r, session.Session{
		User: id.User, Tokens: id.Tokens, ClientID: a.ClientID, AuthTime: id.AuthTime, PromptedAt: a.promptedAt(),
		SID: id.SID,
	})
	if err != nil {
		h.startError(w, r, a, err)
		return
	}
	h.record(r, s, a)
	h.loops.loggedIn(w, r)
	settled = h.claims.saveResult(r.Context(), d.state, a, w.Header()["Set-Cookie"])
	h.attempts.save(w, r, d.state, a, time.Minute) // for a repeated callback
	redirect(w, a.ReturnTo)
}

// exchange exchanges the code and returns the verified user.
func (h *Handler) exchange(r *http.Request, d delivery) (*openid.Identity, error) {
	tokens, err := h.deps.Provider.Exchange(r.Context(), openid.Code{
		Code: d.code, RedirectURI: h.redirectURI(inbound.Of(r).Site), Verifier: d.attempt.Verifier,
	})
	if err != nil {
		return nil, err
	}
	inbound.Of(r).Outcome.Granted = true
	return h.deps.Provider.Identify(r.Context(), tokens, d.attempt.Nonce)
}

func (h *Handler) startError(w http.ResponseWriter, r *http.Request, a *attempt, err error) {
	if errors.Is(err, session.ErrTooLarge) { // trying again does not help
		note(r, causeTooLarge, err)
		h.replies.failed(w, r, failure{http.StatusInternalServerError, causeTooLarge, a.ReturnTo})
		return
	}
	note(r, "store", err)
	h.replies.storeUnavailable(w, r, h.replies.startURL(a.ReturnTo))
}

// record counts a login and reports it to the log line and to OnLogin.
func (h *Handler) record(r *http.Request, s *session.Session, a *attempt) {
	facts := inbound.Of(r)
	h.deps.Metrics.finished.WithLabelValues("ok", "none").Inc()
	dependency.Observe(h.deps.Metrics.duration, h.deps.Now().Sub(a.Began), facts.TraceID)
	facts.Outcome.SessionRef = s.Ref
	if a.Shortened {
		facts.Outcome.Reason = reasonShortened
	}
	h.deps.OnLogin(r, s, a.ReturnTo)
}

// repeat answers a callback that is delivered again, after a double click or a browser's retry, like the first one.
func (h *Handler) repeat(w http.ResponseWriter, r *http.Request, d delivery) {
	a := d.attempt
	p, err := h.claims.progress(r.Context(), d.state)
	if err == nil && !p.settled() {
		if h.loggedIn(r) {
			redirect(w, a.ReturnTo)
			return
		}
		p, err = h.claims.wait(r.Context(), d.state)
	}
	if err != nil {
		note(r, "store", err)
		h.replies.storeUnavailable(w, r, "")
		return
	}
	if first := h.claims.openResult(p.sealed, d.state, a); first != nil {
		w.Header()["Set-Cookie"] = append(w.Header()["Set-Cookie"], first.Cookies...)
		redirect(w, first.ReturnTo)
		return
	}
	if h.loggedIn(r) {
		redirect(w, a.ReturnTo)
		return
	}
	note(r, causeUsed, nil)
	h.replies.failed(w, r, failure{http.StatusBadRequest, causeUsed, a.ReturnTo})
}

// loggedIn reports whether the browser has a session.
func (h *Handler) loggedIn(r *http.Request) bool {
	_, err := h.deps.Sessions.Peek(r)
	return err == nil
}
