package proxy

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hubgate/hubgate/proxy/rules"
	"github.com/hubgate/hubgate/session"
)

// waiting is a request whose response does not begin.
type waiting struct {
	stage        *stage
	method, path string
	begun        string // the beginning of its body
	length       int64  // of the whole body
}

// answer sends the request, and returns the response to what happens meanwhile.
func (c waiting) answer(t *testing.T, meanwhile func()) (*http.Response, string) {
	t.Helper()
	var body io.Reader
	if c.length > 0 {
		reader, writer := io.Pipe()
		t.Cleanup(func() { writer.Close() })
		body = io.MultiReader(strings.NewReader(c.begun), reader)
		if int64(len(c.begun)) == c.length {
			body = strings.NewReader(c.begun)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), c.method, c.stage.server.URL+c.path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Host, req.ContentLength = testHost, c.length
	req.Header = http.Header{
		"Cookie": {"__Host-hubgate=alice"}, "Accept": {"text/html"}, "Sec-Fetch-Mode": {"navigate"},
		"Sec-Fetch-Dest": {"document"},
	}
	client := &http.Client{Transport: c.stage.server.Client().Transport, Timeout: 20 * time.Second}
	go meanwhile()
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Errorf("%d: %v", res.StatusCode, err)
	}
	return res, string(text)
}

// silentSite is an origin that takes requests and answers none.
func silentSite(t *testing.T) string {
	return rawSite(t, func(conn *net.TCPConn, _ *http.Request) { io.Copy(io.Discard, conn) })
}

// A visitor whom HubSpot's answer excludes before the response begins is still logged in: another login would not help.
func TestMembershipEndBeforeResponseIsNoLogin(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		after            *session.CRM
		status           int
		decision, reason string
		has              string
	}{
		"removed": {inLists("5678"), 403, "forbid", "lists", "try again in a minute"},
		"unknown": {nil, 503, "error", "crm", "check right now whether you have access"},
	} {
		for request, w := range map[string]waiting{
			"page":   {method: "GET", path: "/customers/x"},
			"form":   {method: "POST", path: "/customers/x", begun: "a=b", length: 3},
			"upload": {method: "POST", path: "/customers/x", begun: "beginning", length: 1_000_000},
		} {
			for _, h2 := range []bool{false, true} {
				t.Run(name+" "+request+map[bool]string{true: " HTTP2"}[h2], func(t *testing.T) {
					t.Parallel()
					crm, w := newCRMStub(), w // the other protocol's test has its own stage
					w.stage = newStage(t, staging{h2: h2, cfg: testConfig(silentSite(t), listRules()...),
						change: func(d *stubs) { d.CRM = crm }})
					res, text := w.answer(t, func() { <-crm.watched; crm.set("alice", c.after) })
					w.stage.server.Close() // waits for the handler
					o := w.stage.last.Load().Outcome
					if res.StatusCode != c.status || !strings.Contains(text, c.has) || res.Header.Get("Set-Cookie") != "" ||
						(res.Header.Get("Retry-After") != "") != (c.status == 503) {
						t.Errorf("%s %d %v, want %d:\n%s", res.Proto, res.StatusCode, res.Header, c.status, text)
					}
					if o.Decision != c.decision || o.Reason != c.reason || o.Rule != "/customers/**" || o.Err == nil ||
						o.SessionRef != "alice" {
						t.Errorf("%+v, want %s %s", o, c.decision, c.reason)
					}
				})
			}
		}
	}
}

// reloads decides about open exchanges.
type reloads struct{ decision rules.Decision }

func (r reloads) Redecide(Open) (rules.Decision, time.Duration) { return r.decision, time.Hour }
func (r reloads) Replaced() <-chan struct{}                     { return nil }

func TestEndBeforeResponseSaysWhy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		decision rules.Decision
		status   int
		reason   string
	}{
		{rules.Decision{Kind: rules.Login, Reason: rules.ReasonNoSession}, 401, "session_ended"},
		{rules.Decision{Kind: rules.Login, Reason: rules.ReasonAuthAge, MaxAge: time.Hour}, 401, "max_auth_age"},
		{rules.Decision{Kind: rules.Forbid, Reason: rules.ReasonGroups, Status: 403}, 403, "groups"},
		{rules.Decision{Kind: rules.Refuse, Reason: rules.ReasonMethod, Status: 405, Allow: "POST"}, 405, "method"},
		{rules.Decision{Kind: "error", Reason: "store", Status: 503}, 503, "store"},
	} {
		t.Run(c.reason, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, staging{cfg: testConfig(silentSite(t), loginRule("/members/**")),
				change: func(d *stubs) { d.Reloads = reloads{c.decision} }})
			res, text := waiting{stage: s, method: "GET", path: "/members/x"}.answer(t, func() {})
			s.server.Close() // waits for the handler
			o := s.last.Load().Outcome
			if res.StatusCode != c.status || o.Decision != string(c.decision.Kind) || o.Reason != c.reason || o.Err == nil ||
				!strings.HasSuffix(o.Err.Error(), ": "+c.reason) {
				t.Errorf("%d %+v, want %d %s:\n%s", res.StatusCode, o, c.status, c.reason, text)
			}
		})
	}
}
