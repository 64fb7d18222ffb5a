package contacts

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/hubgate/hubgate/hubspot"
	"github.com/hubgate/hubgate/hubspot/access"
	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/admin"
)

func TestContactsShowPrintsEveryValue(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	claims := map[string]any{"given_name": "Ada", "roles": []any{"a"}}
	login := outbox.Login{Email: "ada@example.com", At: at, Claims: claims}
	letter := outbox.DeadLetter{ID: "2-2", Reason: "company is required", Properties: map[string]string{"city": "Ulm"}}
	p := admin.PersonJSON{
		Email:    "ada@example.com",
		Lists:    map[string]access.ListID{"customers": "1234"},
		Sessions: []admin.SessionJSON{{ID: "5e55", User: "sub-ada", Host: "www.example.com", Address: "192.0.2.7"}},
		Person: hubspot.Person{Forgotten: true, PersonData: outbox.PersonData{
			Queue: []outbox.PersonEntry{{
				QueueEntry: outbox.QueueEntry{ID: "1-1", State: "delayed", LastError: "503"}, Login: login,
			}},
			Dead:       []outbox.DeadLetter{letter},
			Records:    []outbox.PersonRecord{{SyncResult: outbox.SyncResult{ContactID: "4711", Result: "updated"}, Logins: 7}},
			LastLogins: []outbox.Login{{Email: "ada@example.com", Groups: []string{"staff"}, SessionEnds: at}},
			Browsers:   []outbox.PersonBrowser{{Submitted: true, ExpiresAt: at}},
		}, Access: []access.Known{{
			Contact: true, Lists: map[string]bool{"1234": true, "5678": false},
			Properties: map[string][]string{"tier": {"gold", "beta"}, "portal": nil}, ReadAt: at,
		}}},
	}
	var out bytes.Buffer
	printPerson(&out, p)
	for _, text := range []string{
		"forgotten: yes", "5e55", "sub-ada", "192.0.2.7", "1-1", "delayed", "503", "claim given_name: Ada",
		"claim roles: [a]", "2-2", "company is required", "city: Ulm", "contact 4711", "7 logins", "updated",
		"groups: [staff]",
		"kept until 2026-02-03 04:05:06", "form submitted: true",
		"1 answer of HubSpot", "one contact has the address, read at 2026-02-03 04:05:06", "list customers (1234): member\n",
		"list 5678: not a member\n", "property tier: gold;beta\n", "property portal: -\n",
	} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("no %q in\n%s", text, out.String())
		}
	}
}

// A claim may contain what an operator's terminal would execute, or a line that looks like another value (CWE-150).
func TestContactsShowPrintsNoControlCharacters(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"\x1b]0;title\a", "Ada\n    email: other@example.com", "\u202eadA", "a\rb", "\x9b2J"} {
		var out bytes.Buffer
		printValues(&out, map[string]any{"claim name": value, "claim " + value: "x"})
		if strings.ContainsAny(strings.TrimSuffix(out.String(), "\n"), "\x1b\a\r\u202e\u009b") ||
			strings.Count(out.String(), "\n") != 2 {
			t.Errorf("%q is printed as %q", value, out.String())
		}
	}
}

func TestContactsShowPrintsNumbersAndTimesAsTheyAre(t *testing.T) {
	t.Parallel()
	for want, login := range map[string]outbox.Login{
		"claim auth_time: 1795872541\n": {Claims: map[string]any{"auth_time": 1.795872541e9}},
		"claim id: 12345678901234\n":    {Claims: map[string]any{"id": 12345678901234}},
		"claim ratio: 0.25\n":           {Claims: map[string]any{"ratio": 0.25}},
	} {
		var out bytes.Buffer
		if printLogin(&out, login); !strings.Contains(out.String(), want) || strings.Contains(out.String(), "0001-01-01") {
			t.Errorf("no %q in %q", want, out.String())
		}
	}
}
