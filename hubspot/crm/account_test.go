package crm

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/internal/setting"
)

func newAccount(t *testing.T, fake fakehubspot.Config) *Account {
	t.Helper()
	fake.FaultPercent = fakehubspot.NoFaults
	api := httptest.NewServer(fakehubspot.New(fake))
	t.Cleanup(api.Close)
	a, err := NewAccount(Config{
		AccessToken: "pat-na1-test", APIURL: api.URL, APIVersion: "2026-09",
		RateLimit: setting.Rate{Requests: 90, Per: setting.Duration(10 * time.Second)},
	}, &http.Client{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAccountRetriesTransientErrors(t *testing.T) {
	t.Parallel()
	calls := 0
	a := newAccount(t, fakehubspot.Config{HubID: 99, Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if calls++; calls == 1 {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			next.ServeHTTP(w, r)
		})
	}})
	if id, err := a.Portal(t.Context()); id != 99 || err != nil || calls != 2 {
		t.Errorf("%d %v after %d calls", id, err, calls)
	}
	b := newAccount(t, fakehubspot.Config{Token: "other"})
	if _, err := b.Portal(t.Context()); err == nil {
		t.Error("a wrong token was accepted")
	} else if status, _ := Refused(err); status != http.StatusUnauthorized {
		t.Error(err)
	}
}
