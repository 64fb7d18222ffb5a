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

// clocked tells how long before a write of a last name HubSpot was last asked for it.
type clocked struct {
	mu      sync.Mutex
	asked   time.Time
	longest time.Duration
	writes  int
}

func (k *clocked) tap(c *fakehubspot.Config) {
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

func TestWhatIsEmptyWasAskedAtMostTwoSecondsBeforeTheWrite(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rate   setting.Rate
		filled string // of a contact that was there; "" = the budget is too small to know in time
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
				var clock clocked
				w := newWorld(t, map[string]PropertyConfig{"lastname": {Claim: "family_name", Write: writeIfEmpty}}, clock.tap)
				w.cfg.RateLimit = c.rate
				w.fake.Add(map[string]string{"email": "there@example.com"})
				w.fake.Add(map[string]string{"email": "named@example.com", "lastname": "Lovelace"})
				r := w.running()
				for _, email := range []string{"there@example.com", "named@example.com", "new@example.com"} {
					l := person1(email)
					l.Claims = map[string]any{"family_name": "Byron"}
					w.login(r, l)
					w.drained(r)
				}
				for email, want := range map[string]string{"there@example.com": c.filled, "named@example.com": "Lovelace", "new@example.com": "Byron"} {
					if got := w.contact(email)["lastname"]; got != want {
						t.Errorf("%s: %q", email, got)
					}
				}
				// A contact that was made a moment ago has nothing of anybody's own: it is filled without asking.
				if clock.longest > fillWindow && c.filled != "" || clock.writes == 0 {
					t.Errorf("%d writes, the oldest answer was from %s before", clock.writes, clock.longest)
				}
			})
		})
	}
}

func TestAMovedContactsOwnValuesAreNotOverwritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, map[string]PropertyConfig{
			"cognito_sub": {Claim: "sub"}, "firstname": {Claim: "given_name", Write: writeIfEmpty}, "lastname": {Claim: "family_name", Write: writeIfEmpty},
		})
		w.fake.Add(map[string]string{"email": "old@example.com", "cognito_sub": "sub-a", "firstname": "Augusta"})
		r := w.running()
		l := person1("new@example.com")
		l.Subject, l.Claims = "sub-a", map[string]any{"given_name": "Ada", "family_name": "Byron"}
		w.login(r, l)
		w.drained(r)
		if c := w.contact("new@example.com"); c["firstname"] != "Augusta" || c["lastname"] != "Byron" || w.contact("old@example.com") != nil {
			t.Errorf("%v", w.fake.Contacts())
		}
	})
}

func TestAKeyThatMayNotReadContactsFillsNewOnesOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, map[string]PropertyConfig{"firstname": {Claim: "given_name", Write: writeIfEmpty}}, func(c *fakehubspot.Config) {
			c.Scopes = []string{"crm.objects.contacts.write", "crm.schemas.contacts.read"}
		})
		w.fake.Add(map[string]string{"email": "there@example.com"})
		r := w.running()
		for _, email := range []string{"there@example.com", "new@example.com"} {
			w.login(r, person1(email))
		}
		w.drained(r)
		if w.contact("there@example.com")["firstname"] != "" || w.contact("new@example.com")["firstname"] != "Ada" {
			t.Errorf("%v", w.fake.Contacts())
		}
	})
}
