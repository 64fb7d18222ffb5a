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
  contacts: {properties: {firstname: given_name, portal_sub: sub, seen_at: {value: login_time}}}
`, hubID, api.URL)
	if err := os.WriteFile(config, text, 0o640); err != nil {
		t.Fatal(err)
	}
	return config, created
}

func TestContactsSetupCreatesProperties(t *testing.T) {
	t.Parallel()
	config, created := unready(t, 4711)
	status, stdout, stderr := hubgate(t, "contacts", "setup", "--config", config, "--yes")
	for _, text := range []string{"portal_sub", "unique values", "created seen_at"} {
		if status != exitOK || !strings.Contains(stdout, text) {
			t.Errorf("no %q: %d %s %s", text, status, stdout, stderr)
		}
	}
	want := made{
		"hubgate": {"name": "hubgate", "label": "Portal login"},
		"portal_sub": {"name": "portal_sub", "label": "Portal sub", "groupName": "hubgate", "type": "string",
			"fieldType": "text", "hasUniqueValue": true, "description": "Written by hubgate at login"},
		"seen_at": {"name": "seen_at", "label": "Seen at", "groupName": "hubgate", "type": "datetime",
			"fieldType": "date", "hasUniqueValue": false, "description": "Written by hubgate at login"},
	}
	if d := cmp.Diff(want, created); d != "" {
		t.Error(d)
	}
	status, stdout, _ = hubgate(t, "contacts", "setup", "--config", config)
	if status != exitOK || !strings.Contains(stdout, "has every mapped property") {
		t.Errorf("the second time: %d %s", status, stdout)
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
		"as JSON":         {4711, []string{"-o", "json"}, exitFound, "use --yes"},
		"another account": {99, []string{"--yes"}, exitFailed, "nothing was changed"},
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
