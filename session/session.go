package session

import (
	"context"
	"errors"
	"slices"
	"time"
)

// User is a visitor's identity according to the provider's verified ID token. Users are keyed by (Issuer, Subject).
type User struct {
	Issuer        string
	Subject       string
	Email         string // at most one address, as the provider spells it; may be empty
	EmailVerified bool
	Name          string
	Groups        []string
	Claims        map[string]any // every claim of the ID token (and of UserInfo if configured); JSON values
}

// Tokens are the tokens that refresh and logout need. They are sent to no one but the provider.
type Tokens struct {
	Access       string
	Refresh      string // may be empty: then the claims stay as they were at the login
	ID           string // for RP-initiated logout; empty for Cognito, whose logout does not use it
	AccessExpiry time.Time
}

// Session is one login of one browser. It is valid only for the host, issuer and client that it was created for.
// Requests share the Session that Load returns; it must not be changed.
type Session struct {
	User
	Tokens Tokens

	Ref        string    // the record's name, useless as a cookie: for logs, lists and audit
	CreatedAt  time.Time // when the login was completed
	ExpiresAt  time.Time // absolute end
	LastSeenAt time.Time // idle clock; zero if there is none
	Host       string    // public host (inbound.Site.Host) that the session is for
	ClientID   string
	Address    string // client address at the login
	// AuthTime is when the person authenticated according to the provider; zero if unknown.
	AuthTime time.Time
	// PromptedAt is when the login attempt that asked the provider for prompt=login began; zero if it did not ask.
	// Only such a login satisfies max_auth_age.
	PromptedAt  time.Time
	refreshedAt time.Time // when the tokens were issued
	// SID is the provider's session id for back-channel logout, or empty.
	SID string
	// CRM is what HubSpot knows about the person, or nil. Load does not set it: the gate sets it on a copy when a rule
	// asks.
	CRM *CRM
}

// HasGroup reports whether the user is in any of the groups.
func (s *Session) HasGroup(groups ...string) bool {
	return slices.ContainsFunc(groups, func(want string) bool { return slices.Contains(s.Groups, want) })
}

// ErrNoSession means that the request is not logged in: no cookie, an invalid cookie, no record, or an expired session.
// errors.As with *NoSessionError returns the reason.
var ErrNoSession = errors.New("session: not logged in")

// NoSessionError is ErrNoSession with its reason.
type NoSessionError struct {
	Reason Reason
	cause  error // a more specific ErrNoSession, or nil
}

// Error returns the reason.
func (e *NoSessionError) Error() string { return "session: not logged in: " + string(e.Reason) }

// Unwrap makes errors.Is(err, ErrNoSession) true.
func (e *NoSessionError) Unwrap() error {
	if e.cause != nil {
		return e.cause
	}
	return ErrNoSession
}

// Reason is why there is no session.
type Reason string

// The reasons. The page that stops login loops shows them.
const (
	CookieMissing Reason = "cookie_missing"
	CookieInvalid Reason = "cookie_invalid" // not a cookie of hubgate, or two of them
	RecordMissing Reason = "record_missing" // ended, evicted or unreadable
	Expired       Reason = "expired"
)

// ErrRefreshDenied is what a RefreshFunc returns if the provider will never accept this refresh token again: the
// session ends. Every other error keeps the session.
var ErrRefreshDenied = errors.New("session: refresh denied")

// RefreshFunc gets new tokens and the current user from the provider. User.Subject and Issuer must be the session's
// own. A refresh changes neither AuthTime nor SID.
type RefreshFunc func(ctx context.Context, refreshToken string) (Tokens, User, error)
