package session

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/seal"
)

func TestLoadRequiresTheExactCookie(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	cookie, started := w.login(m, ada())
	got, err := w.load(m, cookie)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(started.User, got.User); d != "" {
		t.Error(d)
	}
	flipped := *cookie
	flipped.Value = "A" + cookie.Value[1:]
	if cookie.Value[0] == 'A' {
		flipped.Value = "B" + cookie.Value[1:]
	}
	cut, long, quoted := *cookie, *cookie, *cookie
	cut.Value, long.Value, quoted.Value = cookie.Value[:len(cookie.Value)-1], cookie.Value+"A", `"`+cookie.Value+`"`
	for name, c := range map[string]*http.Cookie{"flipped": &flipped, "cut": &cut, "long": &long} {
		if got := w.reason(m, c); got != string(CookieInvalid) {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := w.reason(m); got != string(CookieMissing) {
		t.Errorf("no cookie: %q", got)
	}
	if got := w.reason(m, cookie, cookie); got != string(CookieInvalid) {
		t.Errorf("two cookies: %q", got)
	}
}

func TestCookieAttributesAndSize(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cookie, _ := w.login(w.replica(nil), ada())
	if cookie.Name != "__Host-hubgate" || !cookie.Secure || !cookie.HttpOnly || cookie.Path != "/" ||
		cookie.Domain != "" || cookie.SameSite != http.SameSiteLaxMode {
		t.Errorf("cookie %+v", cookie)
	}
	if n := len(cookie.String()); n >= 300 {
		t.Errorf("the cookie has %d bytes", n)
	}
	if cookie.MaxAge != int(w.cfg.Lifetime.D()/time.Second) {
		t.Errorf("Max-Age %d", cookie.MaxAge)
	}
}

func TestForgedCookieNeverReachesRedis(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	other, _ := seal.New(seal.NewKey())
	forged := &http.Cookie{Name: secureName, Value: newTicket().encode(other)}
	before := w.redis.CommandCount()
	if got := w.reason(m, forged); got != string(CookieInvalid) {
		t.Errorf("forged: %q", got)
	}
	if n := w.redis.CommandCount() - before; n != 0 {
		t.Errorf("%d commands reached Redis", n)
	}
}

// Anyone who has session.keys and knows a session's id can make a cookie with a valid MAC. It opens nothing.
func TestServerKeysAloneOpenNoSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.CacheTTL = minutesOrNone(5)
	m, fresh := w.replica(nil), w.replica(nil)
	w.subscribed(m)
	cookie, _ := w.login(m, ada())
	w.mustLoad(m, cookie)
	ours, _ := parseTicket(cookie.Value, w.ring)
	forged := newTicket()
	forged.id = ours.id
	for name, m := range map[string]*Manager{"cached": m, "not cached": fresh} {
		if got := w.reason(m, &http.Cookie{Name: secureName, Value: forged.encode(w.ring)}); got != string(RecordMissing) {
			t.Errorf("%s: %q", name, got)
		}
		if got := w.reason(m, cookie); got != "" {
			t.Errorf("%s: the visitor's own cookie: %q", name, got)
		}
	}
}

func TestStartCreatesANewIDAndEndsTheOlderSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	first, one := w.login(m, ada())
	second, two := w.login(m, ada(), first)
	if one.Ref == two.Ref || first.Value == second.Value {
		t.Error("the login kept the id")
	}
	if got := w.reason(m, first); got != string(RecordMissing) {
		t.Errorf("the older session: %q", got)
	}
	if got := w.reason(m, second); got != "" {
		t.Errorf("the new session: %q", got)
	}
}

func TestSessionIsBoundToHostIssuerAndClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	cookie, _ := w.login(m, ada())
	other, _ := inbound.ParseSite("https://other.example.com")
	r := w.request(cookie)
	r = r.WithContext(inbound.With(r.Context(), &inbound.Facts{Site: other}))
	if _, err := m.Load(httptest.NewRecorder(), r); err == nil {
		t.Error("another host accepted the session")
	}
	if n := testutil.ToFloat64(m.deps.Metrics.unreadable); n != 0 {
		t.Errorf("a visitor who moved a cookie to another host is counted as %v unreadable records", n)
	}
	for name, live := range map[string]Settings{
		"provider": {Config: w.cfg, Issuer: "https://other", ClientID: clientID},
		"client":   {Config: w.cfg, Issuer: issuer, ClientID: "other"},
	} {
		m2 := w.replica(nil)
		m2.Set(live)
		if got := w.reason(m2, cookie); got != string(RecordMissing) {
			t.Errorf("another %s: %q", name, got)
		}
	}
}

func TestRecordIsSealedToItsKeyInRedis(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	cookie, s := w.login(m, ada())
	bob := ada()
	bob.Subject, bob.Email = "bob-1", "bob@example.com"
	_, other := w.login(m, bob)
	dump := w.redis.Dump()
	for _, secret := range []string{"ada@", "ada-1", "refresh-secret", "access-secret", "members", cookie.Value, issuer} {
		if strings.Contains(dump, secret) {
			t.Errorf("Redis contains %q in plaintext", secret)
		}
	}
	stolen, _ := w.redis.Get("hubgate:s:{" + other.Ref + "}")
	w.redis.Set("hubgate:s:{"+s.Ref+"}", stolen)
	if got := w.reason(m, cookie); got != string(RecordMissing) {
		t.Errorf("another user's record under this name: %q", got)
	}
	w.redis.Set("hubgate:s:{"+s.Ref+"}", "garbage")
	if got := w.reason(m, cookie); got != string(RecordMissing) {
		t.Errorf("a damaged record: %q", got)
	}
	w.redis.Del("hubgate:s:{" + s.Ref + "}")
	w.redis.Lpush("hubgate:s:{"+s.Ref+"}", "x")
	if got := w.reason(m, cookie); got != string(RecordMissing) {
		t.Errorf("a record of the wrong type: %q", got)
	}
}

func TestSessionExpiresByLifetimeAndIdleTimeout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.Lifetime, w.cfg.IdleTimeout = minutes(60), minutesOrNone(10)
	m := w.replica(nil)
	busy, _ := w.login(m, ada())
	idle, _ := w.login(m, ada())
	for range 8 {
		w.clock.pass(7 * time.Minute)
		if got := w.reason(m, busy); got != "" {
			t.Fatalf("a session in use ended at %v: %q", w.clock.Now(), got)
		}
	}
	if got := w.reason(m, idle); got == "" {
		t.Error("an idle session did not expire")
	}
	w.clock.pass(4 * time.Minute)
	if got := w.reason(m, busy); got == "" {
		t.Error("a session outlived its lifetime")
	}
}

func TestPeekDoesNotKeepASessionAlive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.IdleTimeout = minutesOrNone(10)
	m := w.replica(nil)
	cookie, _ := w.login(m, ada())
	for range 3 {
		w.clock.pass(4 * time.Minute)
		m.Peek(w.request(cookie))
	}
	if got := w.reason(m, cookie); got == "" {
		t.Error("Peek set the idle clock")
	}
}

func TestShorterLifetimeAppliesToLiveSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	cookie, _ := w.login(m, ada())
	w.clock.pass(2 * time.Hour)
	w.cfg.Lifetime = minutes(60)
	m.Set(Settings{Config: w.cfg, Issuer: issuer, ClientID: clientID})
	if got := w.reason(m, cookie); got != string(Expired) {
		t.Errorf("%q", got)
	}
}

func TestKeyRotationKeepsSessions(t *testing.T) {
	t.Parallel()
	older, newer := seal.NewKey(), seal.NewKey()
	w := newWorld(t)
	if err := w.ring.Set(older); err != nil {
		t.Fatal(err)
	}
	m := w.replica(nil)
	cookie, _ := w.login(m, ada())
	if err := w.ring.Set(newer, older); err != nil {
		t.Fatal(err)
	}
	if got := w.reason(m, cookie); got != "" {
		t.Errorf("after the rotation: %q", got)
	}
	if n, err := m.EndByEmail(t.Context(), "Ada@Example.com"); n != 1 || err != nil {
		t.Errorf("ended %d, %v: the list is named with the older key", n, err)
	}
}

func TestKeyIsInUseUntilItsLastSessionEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	_, s := w.login(m, ada())
	id := w.ring.IDs()[0].String()
	inUse, err := m.KeysInUse(t.Context())
	if err != nil || inUse[id].Before(s.ExpiresAt) || inUse[id].Sub(s.ExpiresAt) > keyNoteEvery {
		t.Errorf("in use: %v, %v", inUse, err)
	}
	before := w.redis.CommandCount()
	w.login(m, ada())
	again := w.redis.CommandCount() - before
	w.clock.pass(keyNoteEvery + time.Second)
	before = w.redis.CommandCount()
	_, s = w.login(m, ada())
	if later := w.redis.CommandCount() - before; later != again+1 {
		t.Errorf("a login took %d commands within the minute and %d after it", again, later)
	}
	if inUse, err := m.KeysInUse(t.Context()); err != nil || inUse[id].Before(s.ExpiresAt) {
		t.Errorf("in use: %v, %v; a session lives until %v", inUse, err, s.ExpiresAt)
	}
	w.clock.pass(w.cfg.Lifetime.D() + keyNoteEvery + time.Second)
	if inUse, err := m.KeysInUse(t.Context()); err != nil || len(inUse) != 0 {
		t.Errorf("after the last session: %v, %v", inUse, err)
	}
}

func FuzzParseTicketAcceptsOneEncoding(f *testing.F) {
	ring, err := seal.New(seal.NewKey())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(newTicket().encode(ring))
	f.Add("")
	f.Add(strings.Repeat("A", 86))
	f.Fuzz(func(t *testing.T, value string) {
		if ticket, ok := parseTicket(value, ring); ok && ticket.encode(ring) != value {
			t.Errorf("%q has a second encoding", value)
		}
	})
}
