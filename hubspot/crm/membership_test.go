package crm

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func member(objectType, id, lists string) string {
	return fmt.Sprintf(`{"objectTypeId":%q,"recordId":%q,"recordListMemberships":[%s]}`, objectType, id, lists)
}

const inSeven, inNine = `{"listId":"7","listVersion":1}`, `{"listId":"9","listVersion":1}`

// membershipAnswers are answers about the contacts 1 and 2, and what they say.
var membershipAnswers = map[string]struct {
	results, rest string
	want          map[string][]string
}{
	"another order": {member("0-1", "2", "") + "," + member("0-1", "1", inNine+","+inSeven), "",
		map[string][]string{"1": {"7", "9"}, "2": {}}},
	"of another type": {member("0-2", "1", inSeven), "", map[string][]string{}},
	"not asked":       {member("0-1", "3", inSeven), "", map[string][]string{}},
	"the same twice": {member("0-1", "1", inSeven) + "," + member("0-1", "1", inSeven), "",
		map[string][]string{"1": {"7"}}},
	"differing": {member("0-1", "1", inSeven) + "," + member("0-1", "1", inNine), "",
		map[string][]string{}},
	"differing, then the same": {member("0-1", "1", "") + "," + member("0-1", "1", inNine) + "," +
		member("0-1", "1", inNine), "", map[string][]string{}},
	"without lists": {`{"objectTypeId":"0-1","recordId":"1"}`, "", map[string][]string{}},
	"with null": {`{"objectTypeId":"0-1","recordId":"1","recordListMemberships":null}`, "",
		map[string][]string{}},
	"with a list without an id": {member("0-1", "1", inSeven+",{}"), "", map[string][]string{}},
	"as numbers": {`{"objectTypeId":"0-1","recordId":1,"recordListMemberships":[{"listId":7}]}`, "",
		map[string][]string{"1": {"7"}}},
	"with an error about it": {member("0-1", "1", "") + "," + member("0-1", "2", inSeven),
		`,"numErrors":1,"errors":[{"category":"INTERNAL_ERROR","context":{"recordId":["1"]}}]`,
		map[string][]string{"2": {"7"}}},
	"of a contact that is gone": {member("0-1", "2", ""), `,"numErrors":1,"errors":[` + notFound(`{"ids":["1"]}`) + `]`,
		map[string][]string{"2": {}}},
}

func TestMembershipsAreThoseOfTheContact(t *testing.T) {
	t.Parallel()
	for name, c := range membershipAnswers {
		body := `{"status":"COMPLETE","results":[` + c.results + `]` + c.rest + `}`
		got, err := parseMemberships([]byte(body), map[string]bool{"1": true, "2": true})
		if d := cmp.Diff(c.want, got); d != "" || err != nil {
			t.Errorf("%s: %v %s", name, err, d)
		}
	}
	for body, want := range map[string]string{
		`{"status":"PROCESSING","results":[` + member("0-1", "1", inSeven) + `]}`: "not COMPLETE",
		`{"status":"COMPLETE"}`: `no member "results"`,
		`{"status":"COMPLETE","results":[],"errors":[{"category":"MISSING_SCOPES"}]}`: "403 MISSING_SCOPES",
		`[]`: "must be an object",
	} {
		if got, err := parseMemberships([]byte(body), map[string]bool{"1": true}); err == nil || got != nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v %v", body, got, err)
		}
	}
}

func TestMembershipsSendEachContactOnce(t *testing.T) {
	t.Parallel()
	s := &scripted{status: 200, body: `{"status":"COMPLETE","results":[` + member("0-1", "1", inSeven) + `]}`}
	found, err := s.client().Memberships(t.Context(), []string{"1", "1", "", "x/y"})
	want := `/crm/lists/2026-09/records/memberships/batch/read {"inputs":[{"objectTypeId":"0-1","recordId":"1"}]}`
	if d := cmp.Diff([]string{want}, s.sent); d != "" || err != nil || len(found["1"]) != 1 {
		t.Error(found, err, d)
	}
	s.sent = nil
	if found, err := s.client().Memberships(t.Context(), []string{""}); err != nil || found == nil || s.sent != nil {
		t.Error(found, err, s.sent)
	}
}

func TestProbesAreAboutNoVisitor(t *testing.T) {
	t.Parallel()
	const complete = `{"status":"COMPLETE","results":[]`
	for _, c := range []struct {
		status            int
		body              string
		read, memberships bool // whether HubSpot is healthy
	}{
		{200, complete + `}`, true, true},
		{207, complete + `,"numErrors":1,"errors":[` + notFound(`{"ids":["hubgate-probe@example.com"]}`) + `]}`, true, true},
		{400, `{"status":"error","category":"VALIDATION_ERROR","message":"no inputs"}`, true, true},
		{400, `<html>blocked</html>`, false, false},
		{200, `<html>login</html>`, false, false},
		{200, `{"status":"PENDING","results":[]}`, false, false},
		{200, complete + `,"errors":[{"category":"INTERNAL_ERROR"}]}`, false, false},
		{403, `{"status":"error","category":"MISSING_SCOPES","message":"no"}`, false, false},
		{502, ``, false, false},
	} {
		s := &scripted{status: c.status, body: c.body}
		read, memberships := s.client().ProbeRead(t.Context()), s.client().ProbeMemberships(t.Context())
		if (read == nil) != c.read || (memberships == nil) != c.memberships {
			t.Errorf("%d %s: %v, %v", c.status, c.body, read, memberships)
		}
		var e *APIError
		if c.status == 403 && (!errors.As(read, &e) || !errors.As(memberships, &e)) {
			t.Error(read, memberships)
		}
		if len(s.sent) != 2 || !strings.Contains(s.sent[0], `"inputs":[{"id":"hubgate-probe@example.com"}]`) ||
			!strings.HasSuffix(s.sent[1], `{"inputs":[]}`) {
			t.Error(s.sent)
		}
	}
}

// FuzzParseMemberships holds that no contact gets lists of another one, whatever HubSpot answers.
func FuzzParseMemberships(f *testing.F) {
	for _, c := range membershipAnswers {
		f.Add([]byte(`{"status":"COMPLETE","results":[` + c.results + `]` + c.rest + `}`))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		found, err := parseMemberships(body, map[string]bool{"1": true, "2": true})
		var answer struct {
			Status  string
			Results []struct {
				ObjectTypeID, RecordID any
				RecordListMemberships  []struct{ ListID any }
			}
		}
		if err == nil && (json.Unmarshal(body, &answer) != nil || answer.Status != "COMPLETE") {
			t.Fatalf("accepted, without being complete: %s", body)
		}
		for id, lists := range found {
			if id != "1" && id != "2" || lists == nil {
				t.Errorf("%q: %v", id, lists)
			}
			for _, c := range answer.Results {
				if fmt.Sprint(c.RecordID) != id || c.ObjectTypeID != "0-1" {
					continue
				}
				own := map[string]bool{}
				for _, l := range c.RecordListMemberships {
					own[fmt.Sprint(l.ListID)] = true
				}
				if len(own) != len(lists) {
					t.Errorf("%s is in %v, not %v", id, own, lists)
				}
			}
		}
	})
}
