package session

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/seal"
)

// The cookie is all that a visitor holds: a random id, a random key that opens the record together with the server's
// keys, and a MAC, so that a forged cookie never reaches Redis.
const (
	idSize     = 16
	keySize    = 32
	macSize    = 16
	cookieSize = idSize + keySize + macSize
	refLabel   = "hubgate session\x00"
	refSize    = 16
)

// ticket is a cookie's content.
type ticket struct {
	id   [idSize]byte
	key  [keySize]byte
	name string // ref, computed once
}

func newTicket() ticket {
	var t ticket
	rand.Read(t.id[:])
	rand.Read(t.key[:])
	t.name = t.ref()
	return t
}

// ref returns the record's name. It is a hash, so that the id cannot be read from Redis.
func (t ticket) ref() string {
	if t.name != "" {
		return t.name
	}
	var text [len(refLabel) + idSize]byte
	copy(text[copy(text[:], refLabel):], t.id[:])
	sum := sha256.Sum256(text[:])
	var name [2 * refSize]byte
	hex.Encode(name[:], sum[:refSize])
	return string(name[:])
}

// isRef reports whether a text can be a record's name.
func isRef(text string) bool { return len(text) == 2*refSize && strings.Trim(text, digits) == "" }

func (t ticket) encode(ring *seal.Ring) string {
	body := append(append(make([]byte, 0, cookieSize), t.id[:]...), t.key[:]...)
	return strictBase64.EncodeToString(append(body, ring.MAC(seal.CookieMAC, body)[:macSize]...))
}

// parseTicket parses a cookie value strictly: fixed length and alphabet, one encoding, a valid MAC. Truncated,
// modified, oversized and foreign values (CWE-20) are rejected before Redis is asked.
func parseTicket(value string, ring *seal.Ring) (ticket, bool) {
	var t ticket
	var raw [cookieSize]byte
	if len(value) != cookieLength {
		return t, false
	}
	if n, err := strictBase64.Decode(raw[:], []byte(value)); err != nil || n != cookieSize {
		return t, false
	}
	body, mac := raw[:idSize+keySize], raw[idSize+keySize:]
	if !ring.Verify(seal.CookieMAC, body, mac) {
		return t, false
	}
	copy(t.id[:], body)
	copy(t.key[:], body[idSize:])
	t.name = t.ref()
	return t, true
}

// strictBase64 accepts only one encoding of each value. cookieLength is the length of a whole value.
var (
	strictBase64 = base64.RawURLEncoding.Strict()
	cookieLength = strictBase64.EncodedLen(cookieSize)
)

// The names of the cookie. Over https the __Host- prefix stops subdomains from setting it (cookie tossing).
const (
	secureName = "__Host-hubgate"
	plainName  = "hubgate"
)

// cookies reads and writes the session cookie.
type cookies struct {
	ring     *seal.Ring
	settings *atomic.Pointer[Settings]
}

func (c cookies) name(site *inbound.Site) string {
	if name := c.settings.Load().Config.CookieName; name != "" {
		return name
	}
	if site != nil && site.Secure() {
		return secureName
	}
	return plainName
}

func (c cookies) owns(name string) bool {
	return name == secureName || name == plainName || (name != "" && name == c.settings.Load().Config.CookieName)
}

// errTwoCookies is a NoSessionError with two session cookies: one of them may be an attacker's (cookie tossing), and
// it is unknown which.
var errTwoCookies = fmt.Errorf("%w: two session cookies", ErrNoSession)

// ticket returns the ticket in the request's only session cookie, or a NoSessionError.
func (c cookies) ticket(r *http.Request) (ticket, error) {
	value, count := cookieValue(r, c.name(inbound.Of(r).Site))
	switch {
	case count == 0:
		return ticket{}, &NoSessionError{Reason: CookieMissing}
	case count > 1:
		return ticket{}, &NoSessionError{Reason: CookieInvalid, cause: errTwoCookies}
	}
	t, ok := parseTicket(value, c.ring)
	if !ok {
		return t, &NoSessionError{Reason: CookieInvalid}
	}
	return t, nil
}

// cookieValue returns the first value of a cookie and how many there are. It compares the exact bytes of the name and
// supports neither quoting nor $Version: legacy syntax (RFC 2965) lets a cookie hide behind another.
func cookieValue(r *http.Request, name string) (value string, count int) {
	for _, line := range r.Header["Cookie"] {
		for more := true; more; {
			var pair string
			pair, line, more = strings.Cut(line, ";")
			n, v, ok := strings.Cut(strings.TrimLeft(pair, " \t"), "=")
			if !ok || n != name {
				continue
			}
			if count++; count == 1 {
				value = strings.TrimRight(v, " \t")
			}
		}
	}
	return value, count
}

func (c cookies) set(w http.ResponseWriter, r *http.Request, value string, age time.Duration) {
	site := inbound.Of(r).Site
	cookie := &http.Cookie{
		Name: c.name(site), Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: site != nil && site.Secure(), MaxAge: int(age / time.Second),
	}
	if age <= 0 {
		cookie.MaxAge = -1
	}
	http.SetCookie(w, cookie)
}

func (c cookies) expire(w http.ResponseWriter, r *http.Request) { c.set(w, r, "", 0) }
