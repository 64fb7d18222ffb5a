package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
)

const maxLogoutToken = 16 << 10

// backchannel ends the sessions that a provider's logout token names (OpenID Connect Back-Channel Logout 1.0). Signature, issuer,
// audience, event and the absence of a nonce are judged by go-oidc; each token counts once.
func (h *Handler) backchannel(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxLogoutToken)
	if err := r.ParseForm(); err != nil || len(r.PostForm["logout_token"]) != 1 {
		h.badLogoutToken(w, r, nil)
		return
	}
	p := h.deps.Provider
	e, err := p.endpoints(r.Context())
	if err != nil {
		h.unavailable(w, r, causeUnreachable, r.URL.Path)
		return
	}
	raw := r.PostForm.Get("logout_token")
	if !p.cool.admits(raw, p.deps.Now()) {
		h.badLogoutToken(w, r, errors.New("auth: logout token: of an unknown key, a minute has not passed since the last one"))
		return
	}
	verifier := oidc.NewVerifier(p.issuer, e.keys, &oidc.Config{ClientID: p.cfg.ClientID, SupportedSigningAlgs: p.algorithms(e), Now: p.deps.Now})
	token, err := verifier.VerifyLogout(r.Context(), raw)
	if err != nil || token.TokenID == "" || (token.Subject == "" && token.SessionID == "") {
		h.badLogoutToken(w, r, err)
		return
	}
	p.cool.trust(raw)
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

func (h *Handler) badLogoutToken(w http.ResponseWriter, r *http.Request, err error) {
	note(r, "logout_token", err)
	h.deps.Pages.Write(w, r, page.Page{Name: page.Refused, Status: http.StatusBadRequest, Cause: "logout_token"})
}

// keyCool keeps tokens from the wire from making us fetch the provider's keys at will: a flood of invented key ids is a flood of
// fetches (RP-11). Keys that signed before pass; of all others one a minute is tried.
type keyCool struct {
	mu   sync.Mutex
	good map[string]bool
	last time.Time
}

func (c *keyCool) admits(token string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.good[keyID(token)] {
		return true
	}
	if now.Sub(c.last) < time.Minute {
		return false
	}
	c.last = now
	return true
}

// trust remembers a key that signed a token which held; there are only as many as the provider has.
func (c *keyCool) trust(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.good == nil {
		c.good = map[string]bool{}
	}
	c.good[keyID(token)] = true
}

// keyID reads the kid of a token's header; nothing is believed of it but that.
func keyID(token string) string {
	header, _, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(header)
	var h struct {
		KeyID string `json:"kid"`
	}
	if err != nil || json.Unmarshal(raw, &h) != nil {
		return ""
	}
	return h.KeyID
}
