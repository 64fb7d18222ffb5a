package crm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
)

// described are the calls of HubSpot's API description for what decides access: the members of their bodies, all of
// which are required but idProperty. "" is a text, [] a list, and {} an object of texts.
var described = map[string]struct {
	body  any
	input map[string]any // of each element of inputs
}{
	"POST /crm/objects/2026-09/contacts/batch/read": {map[string]any{"inputs": "[]", "idProperty": "",
		"properties": "[]", "propertiesWithHistory": "[]"}, map[string]any{"id": ""}},
	"POST /crm/lists/2026-09/records/memberships/batch/read": {map[string]any{"inputs": "[]"},
		map[string]any{"objectTypeId": "", "recordId": ""}},
	"POST /crm/lists/2026-09/idmapping":              {"[]", nil},
	"GET /crm/lists/2026-09/12?includeFilters=true":  {nil, nil},
	"GET /crm/lists/2026-09/404?includeFilters=true": {nil, nil},
}

// shape returns the kinds of a value.
func shape(value any) any {
	switch v := value.(type) {
	case string:
		return ""
	case []any:
		return "[]"
	case map[string]any:
		kinds := map[string]any{}
		for name, member := range v {
			kinds[name] = shape(member)
		}
		return kinds
	}
	return fmt.Sprintf("%T", value)
}

// checkCall compares a call with the description.
func checkCall(t *testing.T, r *http.Request, body []byte) {
	t.Helper()
	call, known := described[r.Method+" "+r.URL.String()]
	if !known {
		t.Errorf("the description has no %s %s", r.Method, r.URL)
	}
	header := http.Header{"Accept": {"application/json"}, "Authorization": {"Bearer pat-na1-test"},
		"User-Agent": {"hubgate"}, "Accept-Encoding": {"gzip"}}
	var value any
	if len(body) > 0 {
		header.Set("Content-Type", "application/json")
		header.Set("Content-Length", fmt.Sprint(len(body)))
		if err := json.Unmarshal(body, &value); err != nil {
			t.Error(err)
		}
	}
	if d := cmp.Diff(header, r.Header); d != "" {
		t.Errorf("%s: %s", r.URL, d)
	}
	if value == nil != (call.body == nil) || value != nil && !cmp.Equal(call.body, shape(value)) {
		t.Errorf("%s: %s", r.URL, body)
	}
	var batch struct{ Inputs []map[string]any }
	_ = json.Unmarshal(body, &batch)
	seen := map[string]bool{}
	for _, in := range batch.Inputs {
		text := strings.ToLower(fmt.Sprint(in))
		if d := cmp.Diff(any(call.input), shape(any(in))); d != "" || seen[text] {
			t.Errorf("%s: %s %s", r.URL, d, text)
		}
		seen[text] = true
	}
	if len(seen) > 100 {
		t.Errorf("%d inputs", len(seen))
	}
}

// checkedAccount returns an account and a client of a fake whose calls are compared with the description, and the
// number of these by path.
func checkedAccount(t *testing.T, fake *fakehubspot.Server) (*Account, *Client, map[string]int) {
	t.Helper()
	paths := map[string]int{}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		checkCall(t, r, body)
		paths[r.URL.Path]++
		fake.ServeHTTP(w, r)
	}))
	t.Cleanup(api.Close)
	cfg := Config{AccessToken: "pat-na1-test", APIURL: api.URL, APIVersion: "2026-09"}
	a, err := NewAccount(cfg, api.Client())
	if err != nil {
		t.Fatal(err)
	}
	return a, New(cfg, api.Client(), &localLimiter{}, nil), paths
}

func TestAccessCallsMatchAPIDescription(t *testing.T) {
	t.Parallel()
	fake := fakehubspot.New(fakehubspot.Config{FaultPercent: fakehubspot.NoFaults})
	main := fake.Add(map[string]string{"email": "main@x.example", "member_tier": "gold"})
	fake.Merge(main, fake.Add(map[string]string{"email": "further@x.example"}))
	fake.AddList(fakehubspot.List{ID: "12", LegacyID: "7", Name: "Gold", Filter: &fakehubspot.Branch{Kind: "OR",
		Filters: []fakehubspot.Filter{{Property: "member_tier", Values: []string{"gold"}}, {Form: "f"}, {InList: "9"}}}})
	a, client, paths := checkedAccount(t, fake)
	emails := []string{"Further@x.example", "main@x.example", "MAIN@x.example", "b\u00fccher@x.example",
		"o'brien@x.example"}
	for i := range 96 {
		emails = append(emails, fmt.Sprintf("p%d@b\u00fccher.example", i))
	}
	found, err := client.Lookup(t.Context(), emails, []string{"member_tier", "email"})
	if err != nil || len(found) != 100 || found["further@x.example"].Contact.ID != main ||
		found["main@x.example"].Contact.Property("member_tier") != "gold" ||
		!found["o'brien@x.example"].NotFound || !found["p1@xn--bcher-kva.example"].NotFound {
		t.Error(err, found)
	}
	other := fake.Add(map[string]string{"email": "other@x.example"})
	lists, err := client.Memberships(t.Context(), []string{other, main, "404", main})
	if d := cmp.Diff(map[string][]string{main: {"12"}, other: {}}, lists); d != "" || err != nil {
		t.Error(err, d)
	}
	if read, memberships := client.ProbeRead(t.Context()), client.ProbeMemberships(t.Context()); read != nil ||
		memberships != nil {
		t.Error(read, memberships)
	}
	want := List{ID: "12", Name: "Gold", ObjectTypeID: "0-1", ProcessingType: "DYNAMIC",
		Properties: []string{"member_tier"}, Lists: []string{"9"}, Filters: []string{"FORM_SUBMISSION"}}
	l, err := a.List(t.Context(), "12")
	if d := cmp.Diff(want, l); d != "" || err != nil {
		t.Error(err, d)
	}
	_, err = a.List(t.Context(), "404")
	if status, _ := Refused(err); status != http.StatusNotFound {
		t.Error(err)
	}
	id, err := a.LegacyList(t.Context(), "7")
	none, errNone := a.LegacyList(t.Context(), "12")
	if id != "12" || none != "" || err != nil || errNone != nil {
		t.Error(id, none, err, errNone)
	}
	if len(paths) != len(described) {
		t.Error(paths)
	}
}

func TestMissingScopesAreNamed(t *testing.T) {
	t.Parallel()
	fake := fakehubspot.New(fakehubspot.Config{FaultPercent: fakehubspot.NoFaults, Scopes: []string{"content"}})
	a, client, _ := checkedAccount(t, fake)
	_, lookup := client.Lookup(t.Context(), []string{"ada@x.example"}, nil)
	_, memberships := client.Memberships(t.Context(), []string{"1"})
	_, list := a.List(t.Context(), "12")
	for _, c := range []struct {
		err   error
		scope string
	}{
		{lookup, "crm.objects.contacts.read"}, {client.ProbeRead(t.Context()), "crm.objects.contacts.read"},
		{memberships, "crm.lists.read"}, {client.ProbeMemberships(t.Context()), "crm.lists.read"},
		{list, "crm.lists.read"},
	} {
		if status, scopes := Refused(c.err); status != 403 || !cmp.Equal(scopes, []string{c.scope}) {
			t.Errorf("%v, want %s", c.err, c.scope)
		}
	}
}
