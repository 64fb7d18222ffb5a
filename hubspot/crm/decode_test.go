package crm

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
)

// answers is an HTTP client whose responses have a body and status 200.
type answers string

func (a answers) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(a)))}, nil
}

func TestUnusableAnswerIsDescribed(t *testing.T) {
	t.Parallel()
	calls := map[string]func(c *Client) error{
		"read": func(c *Client) error { _, err := c.Read(t.Context(), []string{"ada@example.com"}, nil); return err },
		"upsert": func(c *Client) error {
			_, err := c.Upsert(t.Context(), []Input{{Email: "ada@example.com", Properties: map[string]string{"x": "Kolumna"}}})
			return err
		},
		"update": func(c *Client) error {
			_, err := c.Update(t.Context(), "7", map[string]string{"x": "Kolumna"})
			return err
		},
		"schema": func(c *Client) error { _, err := c.Schema(t.Context()); return err },
	}
	for _, c := range []struct{ calls, body, want string }{
		{"read upsert update schema", `<html>`, `HubSpot's response is not JSON (invalid character '<' looking for ` +
			`beginning of value); it begins with "<html>"`},
		{"read upsert update schema", `[]`, "HubSpot's response must be an object, not of type array"},
		{"read schema upsert", `{}`, `HubSpot's response has no member "results"`},
		{"read schema upsert", `{"results":4711}`, `in HubSpot's response, the member "results" must not be of type number`},
		{"update", `{}`, `HubSpot's response has no member "id"`},
		{"schema", `{"results":[]}`, "HubSpot's response lists no property of contacts"},
		{"upsert update", `Kolumna is not allowed`, "it begins with " + withheldText},
	} {
		client := New(Config{APIURL: "http://x"}, &http.Client{Transport: answers(c.body)}, &localLimiter{}, nil)
		for _, name := range strings.Fields(c.calls) {
			if err := calls[name](client); err == nil || !strings.HasSuffix(err.Error(), c.want) {
				t.Errorf("%s of %s: %v\nwant %s", name, c.body, err, c.want)
			}
		}
	}
}

func TestUnusableFormIsDescribed(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{}`:                   `HubSpot's response has no member "configuration"`,
		`7`:                    "HubSpot's response must be an object, not of type number",
		`{"configuration":[]}`: `in HubSpot's response, the member "configuration" must not be of type array`,
	} {
		a := newAccount(t, fakehubspot.Config{Wrap: failing("/forms/", fakehubspot.Fault{Body: body})})
		if _, err := a.Form(t.Context()); err == nil || err.Error() != "hubspot: read form: "+want {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestListsUseConfiguredVersion(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2026-03", "2026-09", "2027-03"} {
		var paths []string
		a := newAccount(t, fakehubspot.Config{Wrap: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				paths = append(paths, r.URL.Path)
				next.ServeHTTP(w, r)
			})
		}})
		a.cfg.APIVersion = version
		if _, err := a.Content(t.Context(), func(int, int) {}); err != nil || len(paths) != 4 {
			t.Error(version, err, paths)
		}
		if slices.ContainsFunc(paths, func(path string) bool { return !strings.Contains(path, "/"+version) }) {
			t.Error(fmt.Sprint(version, ": ", paths))
		}
	}
}
