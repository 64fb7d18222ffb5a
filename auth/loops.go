package auth

import (
	"net/http"
	"time"

	"github.com/hubgate/hubgate/session"
)

// loops detects login loops: a browser that finishes a login, and whose next request is not logged in. It counts in a
// cookie, not by address, because many tabs or people behind one address are not a loop.
type loops struct {
	cookies cookies
	now     func() time.Time
}

const (
	loopTime = time.Minute // a session cannot expire this soon after a login
	maxLoops = 3
)

type loopCount struct {
	Finished time.Time `json:"f"` // when this browser last finished a login
	Count    int       `json:"c"`
	Page     string    `json:"p,omitempty"` // that required another login because of max_auth_age
}

func (l loops) read(r *http.Request) (count loopCount) {
	l.cookies.read(r, loopCookie, &count)
	return count
}

// check counts a request that needs a login right after one was finished. It returns the cause at the third, and ""
// before.
func (l loops) check(w http.ResponseWriter, r *http.Request, reason session.Reason, page string) string {
	count := l.read(r)
	if count.Finished.IsZero() || l.now().Sub(count.Finished) >= loopTime {
		return ""
	}
	if reason == "" && count.Page != page { // logged in, but another page requires a newer login
		count.Page = page
		l.cookies.write(w, r, loopCookie, count)
		return ""
	}
	count.Count++
	if count.Count < maxLoops {
		l.cookies.write(w, r, loopCookie, count)
		return ""
	}
	l.forget(w, r) // the page's button begins a new count
	return loopCause(reason)
}

func loopCause(reason session.Reason) string {
	switch reason {
	case session.CookieInvalid:
		return "cookie_invalid"
	case session.RecordMissing:
		return "record_missing"
	case session.Expired:
		return "expired_at_once"
	}
	return "cookie_missing"
}

// loggedIn notes that this browser finished a login.
func (l loops) loggedIn(w http.ResponseWriter, r *http.Request) {
	count := l.read(r)
	count.Finished = l.now()
	l.cookies.write(w, r, loopCookie, count)
}

// forget resets the count. A logout is not a loop.
func (l loops) forget(w http.ResponseWriter, r *http.Request) { l.cookies.clear(w, r, loopCookie) }
