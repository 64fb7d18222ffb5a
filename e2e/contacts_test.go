package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"
)

// operate asks the admin API and returns the status and the body.
func (w *world) operate(method, path, body string) (int, string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, address(w.adminPort)+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := readAll(res)
	if err != nil {
		w.t.Fatal(err)
	}
	return res.StatusCode, text
}

// hubgate runs a command with this world's configuration and returns its exit status and what it printed.
func (w *world) hubgate(args ...string) (int, string) {
	w.t.Helper()
	cmd := exec.Command(binary, append(args, "--config", w.config)...)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		w.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// members are the names in a JSON object, sorted.
func members(t *testing.T, text string) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return object
}

func TestAnOperatorSeesAndMendsTheQueueOfContacts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.crm.setAnswer(func(int) int { return http.StatusServiceUnavailable })
	w.serve()
	w.login(newVisitor(t), "/members/")

	eventually(t, "an attempt failed", func() bool {
		_, text := w.operate(http.MethodGet, "/api/contacts/queue", "")
		return strings.Contains(text, "503 ")
	})
	code, text := w.hubgate("contacts", "queue")
	if code != 0 || !strings.Contains(text, email) || !strings.Contains(text, "503") || !strings.Contains(text, "ATTEMPTS") {
		t.Errorf("contacts queue: %d\n%s", code, text)
	}
	var status map[string]any
	eventually(t, "one contact waits for the pause after a failed attempt", func() bool {
		_, text = w.operate(http.MethodGet, "/api/contacts", "")
		status = members(t, text)
		return status["queued"].(float64)+status["delayed"].(float64)+status["in_flight"].(float64) == 1 && status["paused_until"] != nil
	})
	for _, name := range []string{"queued", "delayed", "in_flight", "oldest_seconds", "dead", "paused_until", "rejected_properties"} {
		if _, found := status[name]; !found {
			t.Errorf("%s lacks %s", text, name)
		}
	}

	w.crm.setAnswer(func(int) int { return http.StatusBadRequest })
	var dead struct {
		Dead []map[string]any
		Next string
	}
	eventually(t, "the contact is dead", func() bool {
		_, text := w.operate(http.MethodGet, "/api/contacts/dead", "")
		return json.Unmarshal([]byte(text), &dead) == nil && len(dead.Dead) == 1
	})
	for _, name := range []string{"id", "email", "reason", "properties", "attempts", "first_at", "last_at"} {
		if _, found := dead.Dead[0][name]; !found {
			t.Errorf("%v lacks %s", dead.Dead[0], name)
		}
	}
	if code, text := w.hubgate("contacts", "dead"); code != 0 || !strings.Contains(text, email) || !strings.Contains(text, "400") {
		t.Errorf("contacts dead: %d\n%s", code, text)
	}

	w.crm.setAnswer(nil)
	if code, text := w.hubgate("contacts", "replay", "--all"); code != 0 || !strings.Contains(text, "1 contact queued again") || !strings.Contains(text, "1 of 1") {
		t.Errorf("contacts replay: %d\n%s", code, text)
	}
	eventually(t, "the contact is in the CRM", func() bool { return w.crm.contact(email)["firstname"] != "" })
	eventually(t, "nothing waits", func() bool { _, text := w.hubgate("contacts", "queue"); return text == "Nothing waits.\n" })
	if code, text := w.hubgate("contacts", "send", "nobody@example.com"); code != 0 || !strings.Contains(text, "constants only") {
		t.Errorf("contacts send: %d\n%s", code, text)
	}
	eventually(t, "the other contact is in the CRM", func() bool { return w.crm.contact("nobody@example.com") != nil })
	code, text = w.hubgate("contacts", "status", "--output", "json")
	if members(t, text)["dead"] != 0.0 || code != 0 {
		t.Errorf("contacts status: %d\n%s", code, text)
	}
}

func TestTheContactAPIRefusesWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve()
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
		{"POST", "/api/contacts/send", `{"email":"a@example.com"}`, 202},
		{"GET", "/api/contacts/dead?limit=0", "", 400},
		{"GET", "/api/contacts/dead?limit=x", "", 400},
		{"GET", "/api/contacts/dead?nope=1", "", 400},
		{"GET", "/api/contacts/dead", "", 200},
		{"GET", "/api/contacts/queue?limit=1001", "", 400},
		{"GET", "/api/contacts/queue?limit=1000", "", 200},
	} {
		if status, text := w.operate(c.method, c.path, c.body); status != c.status {
			t.Errorf("%s %s %s: %d %s", c.method, c.path, c.body, status, text)
		}
	}
}

func TestARedisThatForgetsIsWarnedAbout(t *testing.T) {
	t.Parallel()
	port := freePorts(t, 1)
	startRedis(t, port, "--appendonly", "no")
	w := newWorldOn(t, fmt.Sprintf(`{urls: ["redis://127.0.0.1:%d/0"]}`, port))
	if _, text := w.hubgate("check", "--live"); !strings.Contains(text, "appendonly is off") {
		t.Error(text)
	}
	w.serve().says("appendonly is off")
}
