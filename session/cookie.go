package session

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/seal"
)

// The cookie is the only thing a visitor holds: a random id, a random key that opens the record together with the server's keys, and
// a MAC, so that a cookie of somebody's own making never reaches Redis.
const (
	idSize     = 16
	keySize    = 32
	macSize    = 16
	cookieSize = idSize + keySize + macSize
)

// ticket is a cookie's content.
type ticket struct {
	id   [idSize]byte
	key  [keySize]byte
	name string // ref, worked out once
}

func newTicket() ticket {
	var t ticket
	rand.Read(t.id[:])
	rand.Read(t.key[:])
	t.name = t.ref()
	return t
}

// ref names the record: nobody who reads Redis learns the id from it.
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

// isRef tells whether a text can be a record's name.
func isRef(text string) bool { return len(text) == 2*refSize && strings.Trim(text, digits) == "" }

const (
	refLabel = "hubgate session\x00"
	refSize  = 16
)

func (t ticket) bytes() []byte {
	return append(append(make([]byte, 0, cookieSize), t.id[:]...), t.key[:]...)
}

func (t ticket) encode(ring *seal.Ring) string {
	body := t.bytes()
	return strictBase64.EncodeToString(append(body, ring.MAC(seal.CookieMAC, body)[:macSize]...))
}

// parseTicket takes a cookie value strictly: fixed length and alphabet, one encoding, authentic. Anything else is no session and
// costs no look-up (CK-06: truncated, flipped, oversized and foreign values).
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

// strictBase64 takes one spelling only; cookieLength is that of a whole value.
var (
	strictBase64 = base64.RawURLEncoding.Strict()
	cookieLength = strictBase64.EncodedLen(cookieSize)
)

// Names of the cookie: over https the browser itself keeps others from setting it (CK-03: cookie tossing).
const (
	secureName = "__Host-hubgate"
	plainName  = "hubgate"
)

func (m *Manager) cookieName(site *inbound.Site) string {
	if name := m.live.Load().Config.CookieName; name != "" {
		return name
	}
	if site != nil && site.Secure() {
		return secureName
	}
	return plainName
}

// OwnsCookie tells whether a cookie of this name is the session's.
func (m *Manager) OwnsCookie(name string) bool {
	return name == secureName || name == plainName || (name != "" && name == m.live.Load().Config.CookieName)
}

// cookieValue is the first value of a cookie, and how many there are, by the exact bytes of its name: no legacy quoting, no $Version
// (CK-05).
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

func (m *Manager) setCookie(w http.ResponseWriter, r *http.Request, value string, age time.Duration) {
	site := inbound.Of(r).Site
	c := &http.Cookie{
		Name: m.cookieName(site), Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: site != nil && site.Secure(), MaxAge: int(age / time.Second),
	}
	if age <= 0 {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

func (m *Manager) expireCookie(w http.ResponseWriter, r *http.Request) { m.setCookie(w, r, "", 0) }
