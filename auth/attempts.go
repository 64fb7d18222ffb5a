package auth

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/seal"
)

// attempts keeps the begun logins of a browser in its cookies.
type attempts struct{ cookies cookies }

const (
	maxAttempts      = 12
	maxAttemptsBytes = 6 << 10 // of all attempts, and of the pages of deleted ones
	stateInName      = 8       // characters of the state's hash in the name of an attempt's cookie
)

func attemptCookie(r *http.Request, st state) string {
	return hostPrefix(r) + attemptPrefix + st.hash()[:stateInName]
}

// add keeps a new attempt. To make room it deletes the oldest ones, and keeps their pages. An address that makes the
// cookie too large is shortened, because the browser would drop the cookie and with it the login.
func (s attempts) add(w http.ResponseWriter, r *http.Request, st state, a *attempt) {
	name := attemptCookie(r, st)
	value := s.cookies.seal(seal.Attempt, name, a)
	for _, shorter := range []string{pathOf(a.ReturnTo), "/"} {
		if len(name)+len(value) > maxCookie {
			a.ReturnTo, a.Shortened = shorter, true
			value = s.cookies.seal(seal.Attempt, name, a)
		}
	}
	s.makeRoom(w, r, len(name)+len(value))
	s.cookies.set(w, name, value, attemptKept)
}

// makeRoom deletes the oldest attempts until one of size fits.
func (s attempts) makeRoom(w http.ResponseWriter, r *http.Request, size int) {
	others, left := s.list(r), s.pagesLeft(r)
	for _, other := range others {
		size += len(other.name) + other.size
	}
	before := len(others)
	for len(others) > 0 && (len(others) >= maxAttempts || size+left.size > maxAttemptsBytes) {
		oldest := others[0]
		left.add(oldest)
		s.cookies.set(w, oldest.name, "", 0)
		size -= len(oldest.name) + oldest.size
		others = others[1:]
	}
	if len(others) < before {
		s.cookies.set(w, left.name, left.value, pagesCookie.age)
	}
}

// save replaces an attempt.
func (s attempts) save(w http.ResponseWriter, r *http.Request, st state, a *attempt, age time.Duration) {
	name := attemptCookie(r, st)
	s.cookies.set(w, name, s.cookies.seal(seal.Attempt, name, a), age)
}

// keptAttempt is the cookie of an attempt.
type keptAttempt struct {
	name  string
	size  int // of the value
	began time.Time
	page  string
}

// list returns the browser's attempts, oldest first. Those that cannot be opened count as the oldest.
func (s attempts) list(r *http.Request) []keptAttempt {
	var all []keptAttempt
	for _, c := range r.Cookies() {
		if !strings.HasPrefix(c.Name, hostPrefix(r)+attemptPrefix) {
			continue
		}
		k := keptAttempt{name: c.Name, size: len(c.Value)}
		var a attempt
		if s.cookies.open(seal.Attempt, c.Name, c.Value, &a) {
			k.began, k.page = a.Began, a.ReturnTo
		}
		all = append(all, k)
	}
	slices.SortStableFunc(all, func(a, b keptAttempt) int { return a.began.Compare(b.began) })
	return all
}

// find returns the attempt of a state, however old, or nil if the browser has none.
func (s attempts) find(r *http.Request, st state) *attempt {
	name := attemptCookie(r, st)
	found := r.CookiesNamed(name)
	if len(found) != 1 {
		return nil
	}
	var a attempt
	if !s.cookies.open(seal.Attempt, name, found[0].Value, &a) || a.State != st.text {
		return nil
	}
	return &a
}
