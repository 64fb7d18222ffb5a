package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/internal/command"
)

// made maps the names of created properties and groups to the bodies of the requests.
type made map[string]map[string]any

// unready returns the configuration of an account that lacks two mapped properties, and what is created there.
func unready(t *testing.T, hubID int) (config string, created made) {
	t.Helper()
	created = made{}
	fake := fakehubspot.New(fakehubspot.Config{FaultPercent: fakehubspot.NoFaults})
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		if strings.Contains(r.URL.Path, "/properties/") && r.Method == http.MethodPost {
			var sent map[string]any
			_ = json.Unmarshal(body, &sent)
			created[fmt.Sprint(sent["name"])] = sent
		}
		fake.ServeHTTP(w, r)
	}))
	t.Cleanup(api.Close)
	config = portal(t, fakehubspot.Config{}, memberRules)
	text, _ := os.ReadFile(config)
	before, _, _ := strings.Cut(string(text), "hubspot:")
	text = fmt.Appendf([]byte(before), `hubspot:
  access_token: pat-x
  hub_id: %d
  api_url: %q
  rate_limit: {requests: 250, per: 1s}
  contacts:
    properties:
      firstname: given_name
      portal_sub: sub
      seen_at: {value: login_time}
      circles: "cognito:groups"
      mail_ok: email_verified
`, hubID, api.URL)
	if err := os.WriteFile(config, text, 0o640); err != nil {
		t.Fatal(err)
	}
	return config, created
}

// property returns the body of a call that creates a property, as HubSpot's API description wants it.
func property(name, label, kind, field string, unique bool, options ...any) map[string]any {
	body := map[string]any{
		"name": name, "label": label, "groupName": "hubgate", "type": kind, "fieldType": field,
		"hasUniqueValue": unique, "description": "Written by hubgate at login", "formField": false,
	}
	if len(options) > 0 {
		body["options"] = options
	}
	return body
}

func option(order float64, label, value string) any {
	return map[string]any{"label": label, "value": value, "displayOrder": order, "hidden": false}
}

func TestContactsSetupCreatesProperties(t *testing.T) {
	t.Parallel()
	config, created := unready(t, 4711)
	status, stdout, stderr := hubgate(t, "contacts", "setup", "--config", config, "--yes", "--groups", "vip,partner,board")
	for _, text := range []string{
		"portal_sub", "unique values", "created seen_at", "enumeration/checkbox: partner, vip, board",
	} {
		if status != command.ExitOK || !strings.Contains(stdout, text) {
			t.Errorf("no %q: %d %s %s", text, status, stdout, stderr)
		}
	}
	want := made{
		"hubgate": {"name": "hubgate", "label": "Portal login"},
		"circles": property("circles", "Circles", "enumeration", "checkbox", false, option(0, "partner", "partner"),
			option(1, "vip", "vip"), option(2, "board", "board")),
		"mail_ok": property("mail_ok", "Mail ok", "bool", "booleancheckbox", false, option(0, "Yes", "true"),
			option(1, "No", "false")),
		"portal_sub": property("portal_sub", "Portal sub", "string", "text", true),
		"seen_at":    property("seen_at", "Seen at", "datetime", "date", false),
	}
	if d := cmp.Diff(want, created); d != "" {
		t.Error(d)
	}
	status, stdout, _ = hubgate(t, "contacts", "setup", "--config", config)
	if status != command.ExitOK || !strings.Contains(stdout, "has every mapped property") {
		t.Errorf("the second time: %d %s", status, stdout)
	}
	status, stdout, _ = hubgate(t, "contacts", "setup", "--config", config, "--groups", "late,later")
	const doubt = `doubtful: has no option for "late", "later", so people in these groups get it without them`
	if status != command.ExitOK || !strings.Contains(stdout, doubt) ||
		!strings.Contains(stdout, "-> add the options in HubSpot") {
		t.Errorf("with further groups: %d %s", status, stdout)
	}
}

func TestContactsSetupRefusesGroupsWithoutProperty(t *testing.T) {
	t.Parallel()
	config := portal(t, fakehubspot.Config{}, memberRules)
	for groups, want := range map[string]string{
		"vip": `no property is mapped to the claim "cognito:groups"`, "a, b": `" b" is not the name`, "a;b": `"a;b" is not`,
	} {
		status, _, stderr := hubgate(t, "contacts", "setup", "--config", config, "--groups", groups)
		if status != command.ExitUsage || !strings.Contains(stderr, want) {
			t.Errorf("%s: %d %s", groups, status, stderr)
		}
	}
}

func TestContactsSetupNeedsConfirmation(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hubID  int
		args   []string
		status int
		says   string
	}{
		"as JSON":         {4711, []string{"-o", "json"}, command.ExitFound, "use --yes"},
		"another account": {99, []string{"--yes"}, command.ExitFailed, "nothing was changed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config, created := unready(t, c.hubID)
			status, _, stderr := hubgate(t, append([]string{"contacts", "setup", "--config", config}, c.args...)...)
			if status != c.status || len(created) > 0 || !strings.Contains(stderr, c.says) {
				t.Errorf("%d %v %s", status, created, stderr)
			}
		})
	}
}
