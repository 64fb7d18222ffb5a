package auth

import (
	"net/http"
	"net/url"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

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
	verifier := oidc.NewVerifier(p.issuer, e.keys, &oidc.Config{ClientID: p.cfg.ClientID, SupportedSigningAlgs: p.algorithms(e), Now: p.deps.Now})
	token, err := verifier.VerifyLogout(r.Context(), r.PostForm.Get("logout_token"))
	if err != nil || token.TokenID == "" || (token.Subject == "" && token.SessionID == "") {
		h.badLogoutToken(w, r, err)
		return
	}
	fresh, err := h.deps.Redis.SetNX(r.Context(), h.deps.KeyPrefix+"a:{"+url.QueryEscape("jti "+token.TokenID)+"}", "1", 24*time.Hour).Result()
	if err == nil && fresh {
		if token.SessionID != "" {
			_, err = h.deps.Ender.EndSID(r.Context(), p.issuer, token.SessionID)
		} else {
			_, err = h.deps.Ender.EndUser(r.Context(), p.issuer, token.Subject)
		}
	}
	if err != nil {
		note(r, "store", err)
		h.unavailable(w, r, causeStore, r.URL.Path)
		return
	}
	h.deps.Metrics.logouts.WithLabelValues("backchannel").Inc()
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
}

func (h *Handler) badLogoutToken(w http.ResponseWriter, r *http.Request, err error) {
	note(r, "logout_token", err)
	h.deps.Pages.Write(w, r, page.Page{Name: page.Refused, Status: http.StatusBadRequest, Cause: "logout_token"})
}
