package auth

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/seal"
)

// cookies seals and reads the cookies of logins. Their content is JSON, encrypted and bound to the cookie's name.
type cookies struct{ ring *seal.Ring }

// cookie describes one of the cookies. Its name comes without the __Host- prefix.
type cookie struct {
	name  string
	label seal.Label
	age   time.Duration
}

var (
	loopCookie   = cookie{"hubgate-loop", seal.Loop, 2 * time.Minute}
	returnCookie = cookie{"hubgate-return", seal.ReturnPage, 10 * time.Minute}
	pagesCookie  = cookie{"hubgate-pages", seal.ReturnPage, attemptKept}
)

// attemptPrefix begins the name of each attempt's cookie.
const attemptPrefix = "hubgate-login-"

// maxCookie bounds name and value. Browsers silently drop cookies of more than 4096 bytes.
const maxCookie = 4000

// OwnsCookie reports whether name is a cookie of this package.
func OwnsCookie(name string) bool {
	switch bare := strings.TrimPrefix(name, "__Host-"); bare {
	case loopCookie.name, returnCookie.name, pagesCookie.name:
		return true
	default:
		return strings.HasPrefix(bare, attemptPrefix)
	}
}

// hostPrefix returns __Host-, which stops other hosts from setting the cookie (cookie tossing). It requires https.
func hostPrefix(r *http.Request) string {
	if site := inbound.Of(r).Site; site != nil && site.Secure() {
		return "__Host-"
	}
	return ""
}

// read opens a cookie, if the request has exactly one of that name.
func (c cookies) read(r *http.Request, k cookie, into any) bool {
	name := hostPrefix(r) + k.name
	found := r.CookiesNamed(name)
	return len(found) == 1 && c.open(k.label, name, found[0].Value, into)
}

// write seals v into a cookie.
func (c cookies) write(w http.ResponseWriter, r *http.Request, k cookie, v any) {
	name := hostPrefix(r) + k.name
	c.set(w, name, c.seal(k.label, name, v), k.age)
}

// clear deletes a cookie.
func (c cookies) clear(w http.ResponseWriter, r *http.Request, k cookie) {
	c.set(w, hostPrefix(r)+k.name, "", 0)
}

// set sets a cookie by its full name. An age of 0 deletes it.
func (cookies) set(w http.ResponseWriter, name, value string, age time.Duration) {
	c := &http.Cookie{
		Name: name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: strings.HasPrefix(name, "__Host-"), MaxAge: int(age / time.Second),
	}
	if age <= 0 {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

func (c cookies) seal(label seal.Label, name string, v any) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // each & of a query would take six bytes
	if err := encoder.Encode(v); err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(c.ring.Seal(label, text.Bytes(), []byte(name)))
}

// open opens only what was sealed under this name, so that one cookie cannot replace another.
func (c cookies) open(label seal.Label, name, value string, into any) bool {
	if len(value) > 4<<10 {
		return false
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(value)
	if err != nil {
		return false
	}
	text, err := c.ring.Open(label, sealed, []byte(name))
	return err == nil && json.Unmarshal(text, into) == nil
}
