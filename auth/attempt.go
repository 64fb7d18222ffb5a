package auth

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/seal"
)

// attempt is one login that was begun: what must come back, and where the visitor wants to go. It lives sealed in a cookie of its
// own, so that tabs do not disturb each other and a begun login costs Redis nothing.
type attempt struct {
	State    string `json:"s"`
	Nonce    string `json:"n"`
	Verifier string `json:"v"` // PKCE
	ReturnTo string `json:"r"`
	// Shortened reports that ReturnTo was too long and lost its query.
	Shortened bool      `json:"u,omitempty"`
	Host      string    `json:"h"`
	Issuer    string    `json:"i"`
	ClientID  string    `json:"c"`
	Began     time.Time `json:"b"`
	Prompted  bool      `json:"p,omitempty"` // the provider was asked for prompt=login
	Trace     string    `json:"t,omitempty"` // traceparent of the request that began it, so that one trace spans the login
	Key       []byte    `json:"k"`           // opens the result that a second delivery gets
	Claim     string    `json:"m,omitempty"` // name of the claims of deliveries that Redis gave no answer
	Tries     int       `json:"w,omitempty"` // how many they were
}

const (
	attemptTime   = 15 * time.Minute // so long it can finish a login
	attemptKept   = 24 * time.Hour   // so long its cookie remembers the page
	attemptsMost  = 12
	attemptsBytes = 6 << 10 // the pages of those that went included
	maxCookie     = 4000    // name and value: browsers drop cookies of more than 4096 bytes
	attemptPrefix = "hubgate-login-"
	stateInName   = 8 // characters of the state's hash that name an attempt's cookie
)

func newAttempt(st state, now time.Time) *attempt {
	a := &attempt{State: st.text, Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Began: now, Key: make([]byte, 32)}
	rand.Read(a.Key)
	return a
}

// usable tells whether the attempt can still finish a login here: in time, for this host, provider and client (RP-01, CK-12).
func (a *attempt) usable(h *Handler, host string, now time.Time) bool {
	return now.Sub(a.Began) < attemptTime && a.Host == host && a.Issuer == h.deps.Provider.Issuer() && a.ClientID == h.deps.Provider.ClientID()
}

// hostPrefix is the browser's own guard against cookies set by other hosts; it needs https.
func hostPrefix(r *http.Request) string {
	if site := inbound.Of(r).Site; site != nil && site.Secure() {
		return "__Host-"
	}
	return ""
}

func attemptCookie(r *http.Request, st state) string {
	return hostPrefix(r) + attemptPrefix + st.hash()[:stateInName]
}

// OwnsCookie tells the cookies of this package.
func OwnsCookie(name string) bool {
	bare := strings.TrimPrefix(name, "__Host-")
	return strings.HasPrefix(bare, attemptPrefix) || bare == loopCookie || bare == returnCookie ||
		bare == pagesCookie
}

func (h *Handler) setCookie(w http.ResponseWriter, r *http.Request, name, value string, age time.Duration) {
	c := &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: hostPrefix(r) != "", MaxAge: int(age / time.Second)}
	if age <= 0 {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// keepAttempt puts an attempt into its cookie and makes room for it: the oldest go first, and leave their pages behind.
// Browsers drop a cookie of more than 4 KiB without a word, and the login with it, so an address that makes one gets
// shorter.
func (h *Handler) keepAttempt(w http.ResponseWriter, r *http.Request, st state, a *attempt) {
	name := attemptCookie(r, st)
	value := h.sealCookie(seal.Attempt, name, a)
	for _, shorter := range []string{pathOf(a.ReturnTo), "/"} {
		if len(name)+len(value) > maxCookie {
			a.ReturnTo, a.Shortened = shorter, true
			value = h.sealCookie(seal.Attempt, name, a)
		}
	}
	others, left := h.attempts(r), h.readPages(r)
	size := len(name) + len(value)
	for _, other := range others {
		size += len(other.name) + other.size
	}
	before := len(others)
	for len(others) > 0 && (len(others) >= attemptsMost || size+left.size > attemptsBytes) {
		h.leavePage(r, &left, others[0])
		h.setCookie(w, r, others[0].name, "", 0)
		size -= len(others[0].name) + others[0].size
		others = others[1:]
	}
	if len(others) < before {
		h.setCookie(w, r, hostPrefix(r)+pagesCookie, left.value, attemptKept)
	}
	h.setCookie(w, r, name, value, attemptKept)
}

// setAttempt writes an attempt again.
func (h *Handler) setAttempt(w http.ResponseWriter, r *http.Request, st state, a *attempt, age time.Duration) {
	h.setCookie(w, r, attemptCookie(r, st), h.sealCookie(seal.Attempt, attemptCookie(r, st), a), age)
}

type keptAttempt struct {
	name  string
	size  int
	began time.Time
	page  string
}

// attempts lists the browser's begun logins, the oldest first; those that do not open are the oldest of all.
func (h *Handler) attempts(r *http.Request) []keptAttempt {
	var all []keptAttempt
	for _, c := range r.Cookies() {
		if !strings.HasPrefix(c.Name, hostPrefix(r)+attemptPrefix) {
			continue
		}
		k := keptAttempt{name: c.Name, size: len(c.Value)}
		var a attempt
		if h.openCookie(seal.Attempt, c.Name, c.Value, &a) {
			k.began, k.page = a.Began, a.ReturnTo
		}
		all = append(all, k)
	}
	slices.SortStableFunc(all, func(a, b keptAttempt) int { return a.began.Compare(b.began) })
	return all
}

// attemptOf finds the attempt of a state among the browser's cookies, however old; nil when it is not there.
func (h *Handler) attemptOf(r *http.Request, st state) *attempt {
	name := attemptCookie(r, st)
	cookies := r.CookiesNamed(name)
	if len(cookies) != 1 {
		return nil
	}
	var a attempt
	if !h.openCookie(seal.Attempt, name, cookies[0].Value, &a) || a.State != st.text {
		return nil
	}
	return &a
}

// Traceparent is the span that began the login which a request to the callback is about to finish; "" when this browser began none.
func (h *Handler) Traceparent(r *http.Request) string {
	st, ok := parseState(h.deps.Ring, r.URL.Query().Get("state"))
	if !ok {
		return ""
	}
	if a := h.attemptOf(r, st); a != nil {
		return a.Trace
	}
	return ""
}

func (h *Handler) sealCookie(label seal.Label, name string, v any) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // each & of a query would take six bytes
	if err := encoder.Encode(v); err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(h.deps.Ring.Seal(label, text.Bytes(), []byte(name)))
}

// openCookie opens only what was sealed under this name: one cookie cannot be passed off as another.
func (h *Handler) openCookie(label seal.Label, name, value string, into any) bool {
	if len(value) > 4<<10 {
		return false
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(value)
	if err != nil {
		return false
	}
	text, err := h.deps.Ring.Open(label, sealed, []byte(name))
	return err == nil && json.Unmarshal(text, into) == nil
}
