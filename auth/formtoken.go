package auth

import (
	"net/http"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/seal"
)

// formTokens issues the anti-CSRF tokens of the gateway's buttons.
type formTokens struct {
	cookies  cookies
	sessions SessionStarter
	now      func() time.Time
}

const formTokenTime = time.Hour

// formToken is when a token was issued, and for which session. Without the session anyone could fetch a token that is
// valid for everyone.
type formToken struct {
	At  int64  `json:"t"`
	Ref string `json:"s,omitempty"`
}

// issue returns a token for one hour, bound to the host and the browser's session.
func (t formTokens) issue(r *http.Request) string {
	return t.cookies.seal(seal.FormToken, inbound.Of(r).Site.Host, formToken{t.now().Unix(), t.sessionRef(r)})
}

func (t formTokens) valid(r *http.Request, token string) bool {
	var f formToken
	if token == "" || !t.cookies.open(seal.FormToken, inbound.Of(r).Site.Host, token, &f) {
		return false
	}
	return f.Ref == t.sessionRef(r) && t.now().Sub(time.Unix(f.At, 0)) < formTokenTime
}

// sessionRef returns the reference of the browser's session, or "" if there is none or Redis is unavailable.
func (t formTokens) sessionRef(r *http.Request) string {
	s, err := t.sessions.Peek(r)
	if err != nil {
		return ""
	}
	return s.Ref
}
