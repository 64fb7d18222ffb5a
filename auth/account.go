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

// account shows visitors their own session.
type account struct {
	deps    Deps
	replies replies
	logout  *logout
}

// userinfo sends the user to a page's script, for example to show "Hello, Ada / log out".
func (a account) userinfo(w http.ResponseWriter, r *http.Request) {
	s, ok := a.session(w, r)
	if !ok {
		return
	}
	groups := s.Groups
	if groups == nil {
		groups = []string{}
	}
	info := map[string]any{
		"user": s.Subject, "email": s.Email, "groups": groups, "preferredUsername": preferredName(s), "name": s.Name,
		"expires_at": s.ExpiresAt.UTC().Format(time.RFC3339),
	}
	if a.deps.Lists != nil {
		info["lists"] = a.deps.Lists(r.Context(), s) // nil is null: unknown, which is not the same as in no list
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_ = json.NewEncoder(w).Encode(info) // fails only if the client is gone
}

func preferredName(s *session.Session) string {
	for _, claim := range []string{"preferred_username", "cognito:username"} {
		if name, _ := s.Claims[claim].(string); name != "" {
			return name
		}
	}
	return s.Email
}

// session returns the browser's session. If there is none, or Redis is unavailable, it responds with 401 or 503.
func (a account) session(w http.ResponseWriter, r *http.Request) (*session.Session, bool) {
	s, err := a.deps.Sessions.Peek(r)
	switch {
	case err == nil:
		return s, true
	case errors.Is(err, session.ErrNoSession):
		a.replies.loginRequired(w, r, "/")
	default:
		note(r, "store", err)
		a.replies.unavailable(w, r, causeStore, r.URL.RequestURI())
	}
	return nil, false
}

// page shows the session with the buttons to log out.
func (a account) page(w http.ResponseWriter, r *http.Request) {
	s, ok := a.session(w, r)
	if !ok {
		return
	}
	name := s.Email
	if name == "" {
		name = preferredName(s)
	}
	rows := []page.Row{
		{Label: page.LabelAccount, Value: name},
		{Label: page.LabelSince, Time: s.CreatedAt},
		{Label: page.LabelUntil, Time: s.ExpiresAt, Left: s.ExpiresAt.Sub(a.deps.Now())},
	}
	if len(s.Groups) > 0 {
		rows = append(rows, page.Row{Label: page.LabelGroups, Value: strings.Join(s.Groups, ", ")})
	}
	a.deps.Pages.Write(w, r, page.Page{
		Name: page.MySession, Status: http.StatusOK, Rows: rows, FormOrigins: a.logout.formOrigins(),
		Forms: []page.Form{a.logout.form(r, page.LabelLogout, nil), a.everywhere(r, s)},
		Links: []page.Link{{Label: page.LabelBackToSite, URL: "/"}},
	})
}

// everywhere returns the button that ends all sessions of the user, with their number unless Redis does not say it.
func (a account) everywhere(r *http.Request, s *session.Session) page.Form {
	form := a.logout.everywhereForm(r)
	form.Quiet = true
	if n, err := a.deps.Ender.CountUser(r.Context(), s.Issuer, s.Subject); err == nil {
		form.Sessions = n
	}
	return form
}

// ClaimSets are a user's claims by their source, for the test page. They contain no token.
type ClaimSets struct {
	IDToken, AccessToken, UserInfo map[string]any
	UserInfoProblem                string // why UserInfo is missing
}

// LastClaims returns the claims of a session's last login or refresh.
func (h *Handler) LastClaims(ctx context.Context, s *session.Session) ClaimSets {
	sets := ClaimSets{IDToken: s.Claims, AccessToken: payload(s.Tokens.Access)}
	info, err := h.deps.Provider.Userinfo(ctx, s.Tokens.Access, s.Subject)
	if err != nil {
		sets.UserInfoProblem = err.Error()
	}
	sets.UserInfo = info
	return sets
}

// payload decodes a JWT's claims for display. It does not verify them, and no decision depends on them.
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
