// Package session remembers who is logged in. Redis holds the sessions, one opaque cookie names one.
//
// What a session is, who may open it and how it ends is told at Manager. Errors: ErrNoSession means "not logged in"; every other error
// means "cannot tell", which callers turn into 503 on protected pages, never into "let through" and never into "log out".
package session

import (
	"context"
	"errors"
	"time"
)

// User is who a visitor is, as the provider's verified ID token says. Users are keyed by (Issuer, Subject).
type User struct {
	Issuer        string
	Subject       string
	Email         string // at most one address, as the provider spells it; may be empty
	EmailVerified bool
	Name          string
	Groups        []string
	Claims        map[string]any // every claim of the ID token (and of UserInfo when asked); JSON values
}

// Tokens are what refresh and logout need. They never leave the process but to the provider.
type Tokens struct {
	Access       string
	Refresh      string // may be empty: then the claims stay as of the login
	ID           string // for RP-initiated logout; empty for Cognito, whose logout does not want it
	AccessExpiry time.Time
}

// Session is one login of one browser. It is valid only for the host, issuer and client it was made for.
// A Session handed out by Load is shared by requests and must not be changed.
type Session struct {
	User
	Tokens Tokens

	Ref        string    // the record's name, useless as a cookie: for logs, lists and audit
	CreatedAt  time.Time // when the login was finished
	ExpiresAt  time.Time // absolute end
	LastSeenAt time.Time // idle clock; zero when there is none
	Host       string    // public host (inbound.Site.Host) the session is for
	ClientID   string
	Address    string // client address at the login
	// AuthTime is when the provider says the person proved who they are; zero when it does not say.
	AuthTime time.Time
	// PromptedAt is when the attempt began that asked the provider for prompt=login; zero when the login did not ask. max_auth_age
	// is satisfied by such a login only.
	PromptedAt  time.Time
	refreshedAt time.Time // when the tokens were got
	// SID is the provider's session id for back-channel logout, or empty.
	SID string
}

// HasGroup tells whether the user is in any of the groups.
func (s *Session) HasGroup(groups ...string) bool {
	for _, have := range s.Groups {
		for _, want := range groups {
			if have == want {
				return true
			}
		}
	}
	return false
}

// ErrNoSession means that the request is not logged in: no cookie, a cookie that is not ours, no record, or one that has ended.
// errors.As with *NoSessionError tells which.
var ErrNoSession = errors.New("session: not logged in")

// NoSessionError is an ErrNoSession with its reason.
type NoSessionError struct{ Reason Reason }

func (e *NoSessionError) Error() string { return "session: not logged in: " + string(e.Reason) }

// Unwrap makes errors.Is(err, ErrNoSession) true.
func (e *NoSessionError) Unwrap() error { return ErrNoSession }

// Reason says why there is no session.
type Reason string

// The reasons. The loop breaker names them to visitors.
const (
	CookieMissing Reason = "cookie_missing"
	CookieInvalid Reason = "cookie_invalid" // not one of ours, or two of them
	RecordMissing Reason = "record_missing" // ended, evicted or unreadable
	Expired       Reason = "expired"
)

// ErrRefreshDenied is what a RefreshFunc returns when the provider will never refresh this token again: the session ends.
// Every other error keeps the session.
var ErrRefreshDenied = errors.New("session: refresh denied")

// RefreshFunc gets new tokens and the user as of now from the provider. User.Subject and Issuer must be the session's own.
// AuthTime and SID are not changed by a refresh.
type RefreshFunc func(ctx context.Context, refreshToken string) (Tokens, User, error)
