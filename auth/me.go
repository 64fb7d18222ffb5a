package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/session"
)

// userinfo tells a page's script who is logged in: for "Hello, Ada / log out".
func (h *Handler) userinfo(w http.ResponseWriter, r *http.Request) {
	s, ok := h.who(w, r)
	if !ok {
		return
	}
	groups := s.Groups
	if groups == nil {
		groups = []string{}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_ = json.NewEncoder(w).Encode(map[string]any{ // the client went away: nobody to tell
		"user": s.Subject, "email": s.Email, "groups": groups, "preferredUsername": preferredName(s), "name": s.Name,
		"expires_at": s.ExpiresAt.UTC().Format(time.RFC3339),
	})
}

func preferredName(s *session.Session) string {
	for _, claim := range []string{"preferred_username", "cognito:username"} {
		if name := text(s.Claims[claim]); name != "" {
			return name
		}
	}
	return s.Email
}

// who answers 401 or 503 itself when there is nobody, or it cannot be told.
func (h *Handler) who(w http.ResponseWriter, r *http.Request) (*session.Session, bool) {
	s, err := h.deps.Sessions.Peek(r)
	switch {
	case err == nil:
		return s, true
	case errors.Is(err, session.ErrNoSession):
		h.loginRequired(w, r, "/")
	default:
		note(r, "store", err)
		h.unavailable(w, r, causeStore, r.URL.RequestURI())
	}
	return nil, false
}

// loginRequired is for those who cannot be sent to the provider: a script, a frame, an image.
func (h *Handler) loginRequired(w http.ResponseWriter, r *http.Request, returnTo string) {
	h.deps.Pages.Write(w, r, page.Page{
		Name: page.LoginRequired, Status: http.StatusUnauthorized, LoginURL: h.startURL(returnTo),
		Links: []page.Link{{Label: page.LabelLogin, URL: h.startURL(returnTo)}},
	})
}

// mySession shows visitors their own session.
func (h *Handler) mySession(w http.ResponseWriter, r *http.Request) {
	s, ok := h.who(w, r)
	if !ok {
		return
	}
	account := s.Email
	if account == "" {
		account = preferredName(s)
	}
	rows := []page.Row{{Label: page.LabelAccount, Value: account}, {Label: page.LabelSince, Time: s.CreatedAt}, {Label: page.LabelUntil, Time: s.ExpiresAt}}
	if len(s.Groups) > 0 {
		rows = append(rows, page.Row{Label: page.LabelGroups, Value: strings.Join(s.Groups, ", ")})
	}
	h.deps.Pages.Write(w, r, page.Page{
		Name: page.MySession, Status: http.StatusOK, Rows: rows, FormOrigins: h.FormOrigins(),
		Forms: []page.Form{
			h.signOutForm(r, page.LabelLogout, nil),
			h.signOutForm(r, page.LabelLogoutAll, []page.Field{{Name: "everywhere", Value: "1"}}),
		},
		Links: []page.Link{{Label: page.LabelHome, URL: "/"}},
	})
}

// ClaimSets are what the provider says about a user, place by place: for the test page. They hold claims, never a token.
type ClaimSets struct {
	IDToken, AccessToken, UserInfo map[string]any
	UserInfoProblem                string // why there is no UserInfo
}

// LastClaims gathers what came back for a session.
func (h *Handler) LastClaims(ctx context.Context, s *session.Session) ClaimSets {
	sets := ClaimSets{IDToken: s.Claims, AccessToken: payload(s.Tokens.Access)}
	e, err := h.deps.Provider.endpoints(ctx)
	if err == nil {
		sets.UserInfo, err = h.deps.Provider.userinfo(ctx, e, s.Tokens.Access, s.Subject)
	}
	if err != nil {
		sets.UserInfoProblem = err.Error()
	}
	return sets
}

// payload reads a JWT's claims for showing them; nothing is decided on them.
func payload(token string) map[string]any {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	claims := map[string]any{}
	if err != nil || json.Unmarshal(raw, &claims) != nil {
		return nil
	}
	return claims
}
