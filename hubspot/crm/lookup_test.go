package crm

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// person is a contact in an answer.
func person(id, email, additional string) string {
	return fmt.Sprintf(`{"id":%q,"properties":{"email":%q,"hs_additional_emails":%q,"tier":"of %s"}}`, id, email,
		additional, id)
}

func notFound(context string) string {
	return `{"status":"error","category":"OBJECT_NOT_FOUND","message":"not exist","context":` + context + `}`
}

// describe returns what a look-up says about an address.
func describe(r LookupResult) string {
	return strings.TrimSpace(fmt.Sprintf("%s %s", r.Contact.ID, map[bool]string{true: "not found"}[r.NotFound]+
		map[bool]string{true: "ambiguous"}[r.Ambiguous]))
}

// lookupAnswers are answers to a look-up of a@x.example, b@x.example and c@x.example, and what they say.
var lookupAnswers = map[string]struct {
	results, rest string
	want          map[string]string
}{
	"another order": {person("2", "b@x.example", "") + "," + person("1", "A@x.example", ""), "",
		map[string]string{"a": "1", "b": "2"}},
	"a secondary address": {person("1", "main@x.example", "z@x.example;A@X.example"), "", map[string]string{"a": "1"}},
	"two addresses of one contact": {person("1", "a@x.example", "b@x.example"), "",
		map[string]string{"a": "1", "b": "1"}},
	"secondary of one, primary of another": {person("1", "a@x.example", "") + "," + person("2", "b@x.example",
		"a@x.example"), "", map[string]string{"a": "ambiguous", "b": "2"}},
	"the same contact twice": {person("1", "a@x.example", "") + "," + person("1", "a@x.example", ""), "",
		map[string]string{"a": "1"}},
	"a contact in two versions": {person("1", "a@x.example", "") + "," + person("1", "a@x.example", "z@x.example"), "",
		map[string]string{}},
	"not asked":            {person("1", "d@x.example", ""), "", map[string]string{}},
	"without an id":        {person("", "a@x.example", ""), "", map[string]string{}},
	"with an odd id":       {person("../1", "a@x.example", ""), "", map[string]string{}},
	"archived":             {`{"id":"1","archived":true,"properties":{"email":"a@x.example"}}`, "", map[string]string{}},
	"part of an address":   {person("1", "aa@x.example", "a@x.example.org"), "", map[string]string{}},
	"missing without word": {person("1", "a@x.example", ""), "", map[string]string{"a": "1"}},
	"named as missing": {person("1", "a@x.example", ""),
		`,"numErrors":1,"errors":[` + notFound(`{"ids":["B@x.example","c@x.example"]}`) + `]`,
		map[string]string{"a": "1", "b": "not found", "c": "not found"}},
	"one named as missing": {"", `,"numErrors":1,"errors":[` + notFound(`{"ids":["b@x.example"]}`) + `]`,
		map[string]string{"b": "not found"}},
	"missing without names": {person("1", "a@x.example", ""), `,"numErrors":1,"errors":[` + notFound(`{}`) + `]`,
		map[string]string{"a": "1", "b": "not found", "c": "not found"}},
	"missing, and an error that is omitted": {"", `,"numErrors":2,"errors":[` + notFound(`null`) + `]`,
		map[string]string{}},
	"missing, naming others": {"", `,"numErrors":1,"errors":[` + notFound(`{"objectIds":["7"]}`) + `]`,
		map[string]string{}},
	"missing, and another error": {person("1", "a@x.example", ""), `,"numErrors":2,"errors":[` + notFound(`{}`) +
		`,{"status":"error","category":"RATE_LIMITS","message":"slow down"}]`, map[string]string{"a": "1"}},
	"found and missing": {person("1", "a@x.example", ""), `,"numErrors":1,"errors":[` +
		notFound(`{"ids":["a@x.example"]}`) + `]`, map[string]string{}},
	"errors without a list": {person("1", "a@x.example", ""), `,"numErrors":2`, map[string]string{"a": "1"}},
	"rejected as invalid": {person("1", "a@x.example", ""), `,"numErrors":1,"errors":[{"status":"error",` +
		`"category":"VALIDATION_ERROR","message":"not exist","context":{"ids":["b@x.example"]}}]`,
		map[string]string{"a": "1"}},
}

func TestLookupDecidesOnlyWhatHubSpotSays(t *testing.T) {
	t.Parallel()
	asked := map[string]bool{"a@x.example": true, "b@x.example": true, "c@x.example": true}
	for name, c := range lookupAnswers {
		body := `{"status":"COMPLETE","results":[` + c.results + `]` + c.rest + `}`
		found, err := parseLookup([]byte(body), asked, nil)
		got := map[string]string{}
		for key, r := range found {
			got[strings.TrimSuffix(key, "@x.example")] = describe(r)
			if want := "of " + r.Contact.ID; r.Contact.ID != "" && r.Contact.Property("tier") != want {
				t.Errorf("%s: %s has the values %q", name, key, r.Contact.Property("tier"))
			}
		}
		if d := cmp.Diff(c.want, got); d != "" || err != nil {
			t.Errorf("%s: %v %s", name, err, d)
		}
	}
}

func TestUnusableLookupIsAnError(t *testing.T) {
	t.Parallel()
	asked := map[string]bool{"a@x.example": true}
	one := person("1", "a@x.example", "")
	const failed = `"errors":[{"category":"RATE_LIMITS"}]}`
	for body, want := range map[string]string{
		`{"status":"PENDING","results":[` + one + `]}`:              `the status "PENDING", not COMPLETE`,
		`{"status":"a@x.example","results":[` + one + `]}`:          `the status "<e-mail>", not COMPLETE`,
		`{"results":[` + one + `]}`:                                 `no member "status"`,
		`{"status":"COMPLETE"}`:                                     `no member "results"`,
		`{"status":"COMPLETE","results":null}`:                      `no member "results"`,
		`{"status":"COMPLETE","results":[],"errors":7}`:             `the member "errors" must not be of type number`,
		`{"status":"COMPLETE","results":[],"numErrors":1,` + failed: "429 RATE_LIMITS",
		`<html>`: "not JSON",
	} {
		found, err := parseLookup([]byte(body), asked, redact("a@x.example"))
		if err == nil || !strings.Contains(err.Error(), want) || found != nil {
			t.Errorf("%s: %v %v", body, found, err)
		}
	}
}

// scripted is an HTTP client that records requests and answers them.
type scripted struct {
	status int
	body   string
	sent   []string
}

func (s *scripted) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	s.sent = append(s.sent, r.URL.Path+" "+string(body))
	return &http.Response{StatusCode: s.status, Body: io.NopCloser(strings.NewReader(s.body))}, nil
}

func (s *scripted) client() *Client {
	return New(Config{APIURL: "http://x", APIVersion: "2026-09"}, &http.Client{Transport: s}, &localLimiter{}, nil)
}

func TestLookupSendsEachAddressOnce(t *testing.T) {
	t.Parallel()
	s := &scripted{status: 200, body: `{"status":"COMPLETE","results":[` + person("1", "a@x.example", "") + `]}`}
	found, err := s.client().Lookup(t.Context(), []string{"A@x.example", "a@X.example ", "no address", ""},
		[]string{"tier", "email", "tier"})
	want := `/crm/objects/2026-09/contacts/batch/read {"idProperty":"email","inputs":[{"id":"a@x.example"}],` +
		`"properties":["email","hs_additional_emails","tier"],"propertiesWithHistory":[]}`
	if d := cmp.Diff([]string{want}, s.sent); d != "" || err != nil {
		t.Error(err, d)
	}
	if found["a@x.example"].Contact.ID != "1" || !found["no address"].NotFound || len(found) != 3 {
		t.Error(found)
	}
	s.sent = nil
	if found, err := s.client().Lookup(t.Context(), nil, nil); err != nil || len(found) != 0 || s.sent != nil {
		t.Error(found, err, s.sent)
	}
}

func TestErrorsOfLookupsRepeatNoAddress(t *testing.T) {
	t.Parallel()
	const email = "ada.lovelace@x.example"
	for status, body := range map[int]string{
		400: `{"category":"VALIDATION_ERROR","message":"bad id ada.lovelace"}`,
		200: `{"status":"COMPLETE","results":[],"errors":[{"category":"X_Y","message":"no lovelace@x.example"}]}`,
		201: `"ada.lovelace"`, 202: `{"status":"lovelace","results":[]}`, 203: `ada.lovelace`,
	} {
		s := &scripted{status: status, body: body}
		_, err := s.client().Lookup(t.Context(), []string{email}, nil)
		if err == nil || strings.Contains(err.Error(), "lovelace") {
			t.Error(status, err)
		}
	}
}

// FuzzParseLookup holds that no address gets a contact that does not carry it, and that none counts as missing without
// an error, whatever HubSpot answers.
func FuzzParseLookup(f *testing.F) {
	for _, c := range lookupAnswers {
		f.Add([]byte(`{"status":"COMPLETE","results":[` + c.results + `]` + c.rest + `}`))
	}
	asked := map[string]bool{"a@x.example": true, "b@x.example": true, "c@x.example": true}
	f.Fuzz(func(t *testing.T, body []byte) {
		found, err := parseLookup(body, asked, nil)
		var answer struct {
			Status  string
			Results []struct {
				ID         any
				Properties map[string]any
			}
			Errors []struct{ Category, Status any }
		}
		if err == nil && (json.Unmarshal(body, &answer) != nil || answer.Status != "COMPLETE") {
			t.Fatalf("accepted, without being complete: %s", body)
		}
		for key, r := range found {
			carriers := map[string]bool{}
			for _, c := range answer.Results {
				all := fmt.Sprint(c.Properties["email"], ";", c.Properties["hs_additional_emails"])
				if slices.ContainsFunc(strings.Split(all, ";"), func(e string) bool { return EmailKey(e) == key }) {
					carriers[fmt.Sprint(c.ID)] = true
				}
			}
			switch {
			case !asked[key], r.NotFound && (len(answer.Errors) == 0 || r.Ambiguous || r.Contact.ID != ""),
				r.Contact.ID != "" && (!carriers[r.Contact.ID] || len(carriers) != 1 || r.Ambiguous),
				r.Ambiguous && len(carriers) < 2, !r.NotFound && !r.Ambiguous && r.Contact.ID == "":
				t.Errorf("%s: %+v, carried by %v", key, r, slices.Collect(maps.Keys(carriers)))
			}
		}
	})
}
