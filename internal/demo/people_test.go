package demo

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
)

// account is the demo's account with alice, who is not a customer, and its page of people.
func account() (a *fakehubspot.Server, alice string, page http.Handler) {
	a = fakehubspot.New(fakehubspot.Config{})
	addCustomers(a)
	return a, a.Add(map[string]string{"email": "alice@example.com"}), people(a)
}

// submit sends a form of the page, from another site if site is not "".
func submit(page http.Handler, contact, change, site string) int {
	body := url.Values{"contact": {contact}, "change": {change}}.Encode()
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:8082/people", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if site != "" {
		r.Header.Set("Origin", site)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
	}
	w := httptest.NewRecorder()
	page.ServeHTTP(w, r)
	return w.Code
}

func TestPeoplePageChangesListAndTier(t *testing.T) {
	t.Parallel()
	a, alice, page := account()
	tier := func() string {
		i := slices.IndexFunc(a.Contacts(), func(c fakehubspot.Contact) bool { return c.ID == alice })
		return a.Contacts()[i].Properties[tierProperty]
	}
	for _, step := range []struct {
		change, tier string
		customer     bool
	}{
		{"join", "", true}, {"gold", "gold", true}, {"leave", "gold", false}, {"silver", "silver", false},
		{"platinum", "silver", false},
	} {
		if code := submit(page, alice, step.change, ""); code != http.StatusSeeOther {
			t.Fatalf("%s: %d", step.change, code)
		}
		customer := slices.Contains(a.Members(customersList), alice)
		if customer != step.customer || tier() != step.tier {
			t.Errorf("after %s: customer %v, tier %q", step.change, customer, tier())
		}
	}
}

func TestPeoplePageShowsWhoMayEnter(t *testing.T) {
	t.Parallel()
	_, _, page := account()
	w := httptest.NewRecorder()
	page.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/people", nil))
	got := w.Body.String()
	alice, bob := strings.Index(got, "alice@example.com"), strings.Index(got, "bob@example.com")
	if alice < 0 || bob < alice || !strings.Contains(got[alice:bob], `value="join"`) ||
		!strings.Contains(got[bob:], `value="leave"`) || !strings.Contains(got[bob:], `value="silver"`) {
		t.Error(got)
	}
}

// A page of another site must not admit people, and a page of an earlier run names contacts that do not exist.
func TestPeoplePageIgnoresOtherSitesAndUnknownContacts(t *testing.T) {
	t.Parallel()
	a, alice, page := account()
	if code := submit(page, alice, "join", "https://evil.example"); code != http.StatusForbidden {
		t.Errorf("from another site: %d", code)
	}
	if code := submit(page, "99", "gold", ""); code != http.StatusSeeOther {
		t.Errorf("an unknown contact: %d", code)
	}
	if got := a.Members(customersList); len(got) != 1 {
		t.Errorf("members: %v", got)
	}
}
