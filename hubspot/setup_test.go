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

func TestSetupCreatesWhatIsMissingAndNothingElse(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2026-09", "v3"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			a, _ := newAccount(t, fakehubspot.Config{FaultPercent: fakehubspot.NoFaults}, func(c *Config) {
				c.APIVersion = version
				c.Contacts.Properties = map[string]PropertyConfig{
					"firstname": {Claim: "given_name"}, "subject": {Claim: "sub"}, "seen_at": {Value: "login_time"}, "logins": {Value: "login_count"},
					"hs_object_id": {Claim: "x"}, "lifecyclestage": {Constant: "champion"}, "portal_logins": {Value: "login_time"}, "company": {Claim: "sub"},
				}
			})
			fit, err := a.CheckMapping(t.Context())
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
					"hs_object_id": "HubSpot's property is read-only", "lifecyclestage": "the constant: not an option of the property",
					"portal_logins": "its type is number, and login_time needs date",
				},
				Doubtful: map[string]string{"company": "its values are not unique, so that a person whose address changes becomes another contact"},
			}
			if d := cmp.Diff(want, fit); d != "" {
				t.Error(d)
			}
			var made []string
			for range 2 { // the second time everything is there
				if err := a.Create(t.Context(), fit, func(name string) { made = append(made, name) }); err != nil {
					t.Fatal(err)
				}
			}
			fit, err = a.CheckMapping(t.Context())
			if err != nil || len(fit.Missing) != 0 || !fit.GroupThere || len(made) != 6 {
				t.Errorf("%+v %v %v", fit, err, made)
			}
		})
	}
}

func TestAnAccountIsAskedAgainInBadWeatherAndNotAfterARefusal(t *testing.T) {
	t.Parallel()
	calls := 0
	a, _ := newAccount(t, fakehubspot.Config{FaultPercent: fakehubspot.NoFaults, HubID: 99, Wrap: func(next http.Handler) http.Handler {
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
		t.Error("a wrong key was taken")
	} else if status, _ := Refused(err); status != http.StatusUnauthorized {
		t.Error(err)
	}
}
