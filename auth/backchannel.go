package auth

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/hubgate/hubgate/auth/openid"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
)

// backchannel ends the sessions that a provider's logout token names (OpenID Connect Back-Channel Logout 1.0).
type backchannel struct {
	deps    Deps
	replies replies
}

const maxLogoutToken = 16 << 10

func (b backchannel) serve(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxLogoutToken)
	if err := r.ParseForm(); err != nil || len(r.PostForm["logout_token"]) != 1 {
		b.reject(w, r, nil)
		return
	}
	token, err := b.deps.Provider.VerifyLogout(r.Context(), r.PostForm.Get("logout_token"))
	if err != nil {
		b.unverified(w, r, err)
		return
	}
	n, err := b.end(r.Context(), token)
	if err != nil {
		note(r, "store", err)
		b.replies.unavailable(w, r, causeStore, r.URL.Path)
		return
	}
	b.deps.Metrics.logouts.WithLabelValues("backchannel").Inc()
	b.deps.Audit.InfoContext(r.Context(), "logout", "action", "logout", "outcome", "success", "kind", "backchannel",
		"count", n, "client", inbound.Of(r).Client.String())
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
}

// end ends the sessions that a token names, once for each token. The token is remembered after that, not before: a
// provider that got 503 sends the same token again, and must not get 200 before the sessions have ended.
func (b backchannel) end(ctx context.Context, token *openid.LogoutToken) (n int, err error) {
	bounded, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	key := b.deps.KeyPrefix + "a:{" + url.QueryEscape("jti "+token.ID) + "}"
	if known, err := b.deps.Redis.Exists(bounded, key).Result(); err != nil || known > 0 {
		return 0, err
	}
	issuer := b.deps.Provider.Issuer()
	if token.SID != "" {
		n, err = b.deps.Ender.EndSID(ctx, issuer, token.SID)
	} else {
		n, err = b.deps.Ender.EndUser(ctx, issuer, token.Subject)
	}
	if err != nil {
		return n, err
	}
	return n, b.deps.Redis.Set(bounded, key, "1", max(24*time.Hour, token.Expiry.Sub(b.deps.Now()))).Err()
}

// unverified responds with 503 if the provider's keys are unavailable, otherwise with 400. An unknown key is 400 too,
// because the sender may have made it up; Retry-After is for a provider that has just replaced its keys.
func (b backchannel) unverified(w http.ResponseWriter, r *http.Request, err error) {
	var keys *openid.KeysError
	switch {
	case !errors.As(err, &keys):
	case keys.Unavailable:
		note(r, "provider", err)
		b.replies.unavailable(w, r, causeUnreachable, r.URL.Path)
		return
	case keys.RetryAfter > 0:
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(keys.RetryAfter.Seconds()))))
	}
	b.reject(w, r, err)
}

func (b backchannel) reject(w http.ResponseWriter, r *http.Request, err error) {
	note(r, "logout_token", err)
	b.deps.Pages.Write(w, r, page.Page{Name: page.Refused, Status: http.StatusBadRequest, Cause: "logout_token"})
}
