package auth

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
)

const maxLogoutToken = 16 << 10

// backchannel ends the sessions that a provider's logout token names (OpenID Connect Back-Channel Logout 1.0). Anybody
// can send one, so what costs nothing is checked first: a token that could not hold even if its signature did makes
// nobody ask the provider. Each token counts once.
func (h *Handler) backchannel(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxLogoutToken)
	if err := r.ParseForm(); err != nil || len(r.PostForm["logout_token"]) != 1 {
		h.badLogoutToken(w, r, nil)
		return
	}
	raw := r.PostForm.Get("logout_token")
	if err := h.plausible(r.Context(), raw); err != nil {
		h.badLogoutToken(w, r, err)
		return
	}
	p := h.deps.Provider
	e, err := p.endpoints(r.Context())
	if err != nil {
		h.unavailable(w, r, causeUnreachable, r.URL.Path)
		return
	}
	keys := &tokenKeys{set: e.keys, from: fromOutside}
	token, err := h.logoutVerifier(keys, p.algorithms(e)).VerifyLogout(r.Context(), raw)
	if err != nil {
		h.unverified(w, r, keys.err, err)
		return
	}
	n, err := h.endNamed(r.Context(), token)
	if err != nil {
		note(r, "store", err)
		h.unavailable(w, r, causeStore, r.URL.Path)
		return
	}
	h.deps.Metrics.logouts.WithLabelValues("backchannel").Inc()
	h.deps.Audit.InfoContext(r.Context(), "logout", "action", "logout", "outcome", "success", "kind", "backchannel", "count", n, "client", inbound.Of(r).Client.String())
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
}

// endNamed ends what a token names, once. It is remembered after the end, not before: a provider that was told 503 sends the same token
// again, and must not be told that all is done.
func (h *Handler) endNamed(ctx context.Context, token *oidc.LogoutToken) (n int, err error) {
	bounded, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	key := h.deps.KeyPrefix + "a:{" + url.QueryEscape("jti "+token.TokenID) + "}"
	if known, err := h.deps.Redis.Exists(bounded, key).Result(); err != nil || known > 0 {
		return 0, err
	}
	if token.SessionID != "" {
		n, err = h.deps.Ender.EndSID(ctx, h.deps.Provider.issuer, token.SessionID)
	} else {
		n, err = h.deps.Ender.EndUser(ctx, h.deps.Provider.issuer, token.Subject)
	}
	if err != nil {
		return n, err
	}
	return n, h.deps.Redis.Set(bounded, key, "1", max(24*time.Hour, token.Expiry.Sub(h.deps.Now()))).Err()
}

// plausible checks all that can be checked without the provider's keys: form, algorithm, issuer, audience, times,
// event, jti, and that there is no nonce. The signature is not checked.
func (h *Handler) plausible(ctx context.Context, raw string) error {
	token, err := h.logoutVerifier(unsignedPayload{}, asymmetric()).VerifyLogout(ctx, raw)
	if err != nil {
		return err
	}
	now, skew := h.deps.Now(), max(h.deps.Provider.cfg.ClockSkew.D(), time.Minute)
	switch {
	case token.IssuedAt.Unix() <= 0:
		return errors.New("auth: logout token: there is no iat")
	case token.IssuedAt.After(now.Add(skew)):
		return errors.New("auth: logout token: issued in the future")
	case token.Expiry.After(now.Add(maxLogoutAge)):
		return errors.New("auth: logout token: valid for longer than any logout token needs to be")
	}
	return nil
}

// maxLogoutAge bounds for how long a logout token may still be valid; the specification recommends two minutes.
const maxLogoutAge = 7 * 24 * time.Hour

func (h *Handler) logoutVerifier(keys oidc.KeySet, algorithms []string) *oidc.IDTokenVerifier {
	p := h.deps.Provider
	return oidc.NewVerifier(p.issuer, keys, &oidc.Config{
		ClientID: p.cfg.ClientID, SupportedSigningAlgs: algorithms, Now: p.deps.Now,
	})
}

// unsignedPayload takes any signature. It lets go-oidc check a token's claims before the keys are needed, and nothing
// else: what passes is verified once more.
type unsignedPayload struct{}

// VerifySignature makes it go-oidc's KeySet.
func (unsignedPayload) VerifySignature(_ context.Context, token string) ([]byte, error) {
	jws, err := jose.ParseSignedCompact(token, joseAlgorithms())
	if err != nil {
		return nil, err
	}
	return jws.UnsafePayloadWithoutVerification(), nil
}

// unverified answers a token whose signature does not hold, or could not be checked: 503 when the provider gives no
// keys. A key that is unknown although the keys were fetched a moment ago is 400: the sender may have made it up.
// Retry-After is for a provider that has just replaced its keys.
func (h *Handler) unverified(w http.ResponseWriter, r *http.Request, cause, err error) {
	var unread *keysError
	switch {
	case !errors.As(cause, &unread):
	case unread.fault:
		note(r, "provider", cause)
		h.unavailable(w, r, causeUnreachable, r.URL.Path)
		return
	default:
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(unread.retry.Seconds()))))
	}
	h.badLogoutToken(w, r, err)
}

func (h *Handler) badLogoutToken(w http.ResponseWriter, r *http.Request, err error) {
	note(r, "logout_token", err)
	h.deps.Pages.Write(w, r, page.Page{Name: page.Refused, Status: http.StatusBadRequest, Cause: "logout_token"})
}
