package gateway

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestHubSpotCookiesCountOnlyIfUnambiguous(t *testing.T) {
	t.Parallel()
	const utk = "0123456789abcdef0123456789abcdef"
	for cookies, want := range map[string]struct {
		utk string
		out bool
	}{
		"":                  {"", false},
		"hubspotutk=" + utk: {utk, false},
		"hubspotutk=" + utk + "; hubspotutk=" + utk:               {"", false},
		"hubspotutk=" + utk + "; hubspotutk=":                     {"", false},
		"hubspotutk=" + utk + "; __hs_opt_out=yes":                {utk, true},
		"hubspotutk=" + utk + "; __hs_opt_out=no":                 {utk, false},
		"hubspotutk=" + utk + "; __hs_opt_out=no; __hs_opt_out=1": {utk, true},
		"hubspotutk=" + utk + "; __hs_opt_out=":                   {utk, true},
		"hubspotutk=" + utk + "; __hs_do_not_track=yes":           {utk, true},
		"Hubspotutk=" + utk:                                       {"", false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Cookie", cookies)
		if got, out := hubspotCookies(r); got != want.utk || out != want.out {
			t.Errorf("%q: %q %v", cookies, got, out)
		}
	}
}
