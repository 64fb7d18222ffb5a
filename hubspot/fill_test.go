package hubspot

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/internal/setting"
)

// readClock measures how long before each write of a last name HubSpot was last asked for it.
type readClock struct {
	mu      sync.Mutex
	asked   time.Time
	longest time.Duration
	writes  int
}

func (k *readClock) tap(c *fakehubspot.Config) {
	c.Wrap = func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			k.mu.Lock()
			switch names := strings.Contains(string(body), "lastname"); {
			case names && strings.HasSuffix(r.URL.Path, "/batch/read"):
				k.asked = time.Now()
			case names:
				k.longest, k.writes = max(k.longest, time.Since(k.asked)), k.writes+1
			}
			k.mu.Unlock()
			next.ServeHTTP(rw, r)
		})
	}
}

func TestIfEmptyReadIsRecent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rate   setting.Rate
		filled string // of the existing contact; "" = the rate limit is too low for a recent read
	}{
		"plenty":         {setting.Rate{Requests: 90, Per: setting.Duration(10 * time.Second)}, "Byron"},
		"two at a time":  {setting.Rate{Requests: 2, Per: setting.Duration(5 * time.Second)}, "Byron"},
		"one at a time":  {setting.Rate{Requests: 1, Per: setting.Duration(3 * time.Second)}, ""},
		"just in time":   {setting.Rate{Requests: 1, Per: setting.Duration(time.Second)}, "Byron"},
		"three at times": {setting.Rate{Requests: 3, Per: setting.Duration(20 * time.Second)}, "Byron"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var clock readClock
				e := newEnv(t, map[string]PropertyConfig{"lastname": {Claim: "family_name", Write: writeIfEmpty}},
					clock.tap)
				e.cfg.RateLimit = c.rate
				e.fake.Add(map[string]string{"email": "there@example.com"})
				e.fake.Add(map[string]string{"email": "named@example.com", "lastname": "Lovelace"})
				r := e.startReplica()
				for _, email := range []string{"there@example.com", "named@example.com", "new@example.com"} {
					l := testLogin(email)
					l.Claims = map[string]any{"family_name": "Byron"}
					e.enqueue(r, l)
					e.waitDrained(r)
				}
				for email, want := range map[string]string{
					"there@example.com": c.filled, "named@example.com": "Lovelace", "new@example.com": "Byron",
				} {
					if got := e.contact(email)["lastname"]; got != want {
						t.Errorf("%s: %q", email, got)
					}
				}
				// A contact that was created a moment ago is empty: it is filled without a read.
				if clock.longest > fillWindow && c.filled != "" || clock.writes == 0 {
					t.Errorf("%d writes, the oldest read was %s before its write", clock.writes, clock.longest)
				}
			})
		})
	}
}

func TestIfEmptyKeepsValuesAfterEmailChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, map[string]PropertyConfig{
			"cognito_sub": {Claim: "sub"}, "firstname": {Claim: "given_name", Write: writeIfEmpty},
			"lastname": {Claim: "family_name", Write: writeIfEmpty},
		})
		e.fake.Add(map[string]string{"email": "old@example.com", "cognito_sub": "sub-a", "firstname": "Augusta"})
		r := e.startReplica()
		l := testLogin("new@example.com")
		l.Subject, l.Claims = "sub-a", map[string]any{"given_name": "Ada", "family_name": "Byron"}
		e.enqueue(r, l)
		e.waitDrained(r)
		if c := e.contact("new@example.com"); c["firstname"] != "Augusta" || c["lastname"] != "Byron" ||
			e.contact("old@example.com") != nil {
			t.Errorf("%v", e.fake.Contacts())
		}
	})
}

func TestIfEmptyWithoutReadScope(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, map[string]PropertyConfig{"firstname": {Claim: "given_name", Write: writeIfEmpty}},
			func(c *fakehubspot.Config) {
				c.Scopes = []string{"crm.objects.contacts.write", "crm.schemas.contacts.read"}
			})
		e.fake.Add(map[string]string{"email": "there@example.com"})
		r := e.startReplica()
		for _, email := range []string{"there@example.com", "new@example.com"} {
			e.enqueue(r, testLogin(email))
		}
		e.waitDrained(r)
		if e.contact("there@example.com")["firstname"] != "" || e.contact("new@example.com")["firstname"] != "Ada" {
			t.Errorf("%v", e.fake.Contacts())
		}
	})
}
