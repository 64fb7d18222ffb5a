package hubspot

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/internal/setting"
)

func newAccount(t *testing.T, fc fakehubspot.Config, change func(*Config)) (*Account, *fakehubspot.Server) {
	t.Helper()
	fake := fakehubspot.New(fc)
	api := httptest.NewServer(fake)
	t.Cleanup(api.Close)
	cfg := DefaultConfig()
	cfg.APIURL, cfg.AccessToken = api.URL, setting.Secret("pat-na1-test")
	if change != nil {
		change(&cfg)
	}
	a, err := NewAccount(cfg, &http.Client{})
	if err != nil {
		t.Fatal(err)
	}
	return a, fake
}

func TestCreateMissingProperties(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2026-09", "v3"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			a, _ := newAccount(t, fakehubspot.Config{FaultPercent: fakehubspot.NoFaults}, func(c *Config) {
				c.APIVersion = version
				c.Contacts.Properties = map[string]PropertyConfig{
					"firstname": {Claim: "given_name"}, "subject": {Claim: "sub"}, "seen_at": {Value: "login_time"},
					"logins":       {Value: "login_count"},
					"hs_object_id": {Claim: "x"}, "lifecyclestage": {Constant: "champion"},
					"portal_logins": {Value: "login_time"}, "company": {Claim: "sub"},
				}
			})
			check, err := a.CheckMapping(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want := MappingCheck{
				Missing: []NewProperty{
					{Name: "logins", Label: "Logins", Type: "number", FieldType: "number"},
					{Name: "seen_at", Label: "Seen at", Type: "datetime", FieldType: "date"},
					{Name: "subject", Label: "Subject", Type: "string", FieldType: "text", Unique: true},
				},
				Unsuitable: map[string]string{
					"hs_object_id":   "HubSpot's property is read-only",
					"lifecyclestage": "the constant: not an option of the property",
					"portal_logins":  "its type is number, but login_time needs date",
				},
				Doubtful: map[string]string{
					"company": "its values are not unique, so a changed address makes a second contact",
				},
			}
			if d := cmp.Diff(want, check); d != "" {
				t.Error(d)
			}
			var created []string
			for range 2 { // the second time everything exists
				err := a.Create(t.Context(), check, func(name string) { created = append(created, name) })
				if err != nil {
					t.Fatal(err)
				}
			}
			check, err = a.CheckMapping(t.Context())
			if err != nil || len(check.Missing) != 0 || !check.GroupThere || len(created) != 6 {
				t.Errorf("%+v %v %v", check, err, created)
			}
		})
	}
}

func TestAccountRetriesTransientErrors(t *testing.T) {
	t.Parallel()
	calls := 0
	a, _ := newAccount(t, fakehubspot.Config{FaultPercent: fakehubspot.NoFaults, HubID: 99,
		Wrap: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if calls++; calls == 1 {
					w.WriteHeader(http.StatusBadGateway)
					return
				}
				next.ServeHTTP(w, r)
			})
		}}, nil)
	if id, err := a.Portal(t.Context()); id != 99 || err != nil || calls != 2 {
		t.Errorf("%d %v after %d calls", id, err, calls)
	}
	calls = 1
	b, _ := newAccount(t, fakehubspot.Config{FaultPercent: fakehubspot.NoFaults, Token: "other"}, nil)
	if _, err := b.Portal(t.Context()); err == nil {
		t.Error("a wrong token was accepted")
	} else if status, _ := Refused(err); status != http.StatusUnauthorized {
		t.Error(err)
	}
}
