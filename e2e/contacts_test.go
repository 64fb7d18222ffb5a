package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// decode decodes a JSON object.
func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return object
}

// hasKeys checks that a JSON object has keys.
func hasKeys(t *testing.T, object map[string]any, keys ...string) {
	t.Helper()
	for _, key := range keys {
		if _, found := object[key]; !found {
			t.Errorf("%v has no %s", object, key)
		}
	}
}

// prints checks that a subcommand succeeds and prints texts.
func (g *gateway) prints(args string, texts ...string) {
	g.t.Helper()
	out := g.must(strings.Fields(args)...)
	for _, text := range texts {
		if !strings.Contains(out, text) {
			g.t.Errorf("%s does not print %q:\n%s", args, text, out)
		}
	}
}

func TestContactCommandsShowAndReplayTheQueue(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	s.crm.answerAll(http.StatusServiceUnavailable)
	g := s.serve()
	s.login(newVisitor(t), "/members/")

	eventually(t, "an attempt failed", func() bool {
		_, text := g.api(http.MethodGet, "/api/contacts/queue", "")
		return strings.Contains(text, "503 ")
	})
	g.prints("contacts queue", email, "503", "ATTEMPTS")
	var status map[string]any
	eventually(t, "one contact is delayed after a failed attempt", func() bool {
		_, text := g.api(http.MethodGet, "/api/contacts", "")
		status = decode(t, text)
		waiting := status["queued"].(float64) + status["delayed"].(float64) + status["in_flight"].(float64)
		return waiting == 1 && status["paused_until"] != nil
	})
	hasKeys(t, status, "queued", "delayed", "held", "in_flight", "oldest_seconds", "dead", "paused_until",
		"paused_because", "rejected_properties", "unseen_claims")

	s.crm.answerAll(http.StatusBadRequest)
	var dead struct {
		Dead []map[string]any
		Next string
	}
	eventually(t, "the contact is a dead letter", func() bool {
		_, text := g.api(http.MethodGet, "/api/contacts/dead", "")
		return json.Unmarshal([]byte(text), &dead) == nil && len(dead.Dead) == 1
	})
	hasKeys(t, dead.Dead[0], "id", "email", "reason", "properties", "attempts", "first_at", "last_at")
	if status, out := g.command("contacts", "dead"); status != 3 || !strings.Contains(out, email) ||
		!strings.Contains(out, "400") {
		t.Errorf("contacts dead: exit status %d\n%s", status, out)
	}

	s.crm.answerAll(http.StatusOK)
	g.prints("contacts replay --all", "1 contact queued again", "1 of 1")
	eventually(t, "the contact is in the CRM", func() bool { return s.crm.contact(email)["firstname"] != "" })
	eventually(t, "the queue is empty", func() bool { return g.must("contacts", "queue") == "The queue is empty.\n" })
	g.prints("contacts send nobody@example.com --create", "constants only")
	eventually(t, "the other contact is in the CRM", func() bool { return s.crm.contact("nobody@example.com") != nil })
	if out := g.must("contacts", "status", "--output", "json"); decode(t, out)["dead"] != 0.0 {
		t.Errorf("contacts status:\n%s", out)
	}
}

func TestContactAPIRejectsInvalidRequests(t *testing.T) {
	t.Parallel()
	g := newSite(t, options{}).serve()
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/api/contacts/replay", `{}`, 400},
		{"POST", "/api/contacts/replay", ``, 400},
		{"POST", "/api/contacts/replay", `{"ids":[]}`, 400},
		{"POST", "/api/contacts/replay", `{"ids":[""]}`, 400},
		{"POST", "/api/contacts/replay", `{"ids":["1-1"],"all":true}`, 400},
		{"POST", "/api/contacts/replay", `{"all":"yes"}`, 400},
		{"POST", "/api/contacts/replay", `{"ids":["1-1"]}`, 200},
		{"POST", "/api/contacts/replay", `{"all":true}`, 200},
		{"POST", "/api/contacts/send", `{}`, 400},
		{"POST", "/api/contacts/send", `{"email":""}`, 400},
		{"POST", "/api/contacts/send", `{"email":"nobody"}`, 400},
		{"POST", "/api/contacts/send", `{"email":"a@example.com","b":1}`, 400},
		{"POST", "/api/contacts/send", `{"email":"a@example.com"}`, 404},
		{"POST", "/api/contacts/send", `{"email":"a@example.com","create":true}`, 202},
		{"POST", "/api/contacts/drop", `{}`, 400},
		{"POST", "/api/contacts/drop", `{"ids":["1-1"]}`, 200},
		{"GET", "/api/contacts/person", "", 400},
		{"GET", "/api/contacts/person?email=nobody", "", 400},
		{"GET", "/api/contacts/person?email=b@example.com", "", 200},
		{"POST", "/api/contacts/forget", `{}`, 400},
		{"POST", "/api/contacts/forget", `{"email":"nobody"}`, 400},
		{"POST", "/api/contacts/forget", `{"email":"b@example.com","allow":"yes"}`, 400},
		{"POST", "/api/contacts/forget", `{"email":"b@example.com"}`, 200},
		{"POST", "/api/contacts/send", `{"email":"b@example.com","create":true}`, 409},
		{"GET", "/api/contacts/dead?limit=0", "", 400},
		{"GET", "/api/contacts/dead?limit=x", "", 400},
		{"GET", "/api/contacts/dead?nope=1", "", 400},
		{"GET", "/api/contacts/dead", "", 200},
		{"GET", "/api/contacts/queue?limit=1001", "", 400},
		{"GET", "/api/contacts/queue?limit=1000", "", 200},
	} {
		if status, text := g.api(c.method, c.path, c.body); status != c.status {
			t.Errorf("%s %s %s: %d %s", c.method, c.path, c.body, status, text)
		}
	}
}

func TestRedisWithoutPersistenceCausesAWarning(t *testing.T) {
	t.Parallel()
	g := newSite(t, options{redis: startRedis(t, "--appendonly", "no").section()}).newGateway()
	if _, text := g.command("check", "--live"); !strings.Contains(text, "appendonly is off") {
		t.Error(text)
	}
	g.start()
	g.waitFor("appendonly is off")
}
