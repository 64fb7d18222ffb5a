package gateway

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/hubgate/hubgate/internal/admin"
	"github.com/hubgate/hubgate/internal/configtest"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/session"
)

// login logs a person in and queues the contact.
func (o *operator) login(email string) *session.Session {
	o.t.Helper()
	facts := &inbound.Facts{
		Site: o.gateway.current.Load().sites[0], Client: netip.MustParseAddr("192.0.2.7"),
	}
	r := httptest.NewRequest(http.MethodGet, "http://localhost:8080/", nil)
	r = r.WithContext(inbound.With(r.Context(), facts))
	s, err := o.gateway.sessions.Start(httptest.NewRecorder(), r, session.Session{
		User: session.User{
			Issuer: "https://idp.example", Subject: "sub-" + email, Email: email, EmailVerified: true,
			Claims: map[string]any{"given_name": "Ada", "custom:salary": 90000},
		},
		Tokens: session.Tokens{Access: "a", AccessExpiry: time.Now().Add(time.Hour)},
	})
	if err != nil {
		o.t.Fatal(err)
	}
	o.gateway.onLogin(r, s, "/members/")
	return s
}

// ask sends a request and decodes the response into a value, if it is not nil.
func (o *operator) ask(method, target, body string, into any) (status int, text string) {
	o.t.Helper()
	got := o.send(method, target, body, nil)
	text = got.Body.String()
	if into != nil && got.Code < 300 {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			o.t.Fatalf("%v: %s", err, text)
		}
	}
	return got.Code, text
}

func TestSendUsesTheLastLoginOfALiveSession(t *testing.T) {
	t.Parallel()
	o := newOperator(t, withToken)
	o.login("Ada@example.com")
	send := func(body string) (status int, known bool, text string) {
		var sent admin.SentContact
		status, text = o.ask("POST", "/api/contacts/send", body, &sent)
		return status, sent.Known, text
	}
	if status, known, text := send(`{"email":"ada@example.com"}`); status != 202 || !known {
		t.Errorf("a waiting login: %d %s", status, text)
	}
	o.gateway.redis.Embedded.Del("hubgate:{crm}:stream") // the login was sent
	if status, known, text := send(`{"email":"ADA@example.com"}`); status != 202 || !known {
		t.Errorf("a live session: %d %s", status, text)
	}
	o.gateway.redis.Embedded.Del("hubgate:{crm}:stream")
	if n, err := o.gateway.sessions.EndByEmail(t.Context(), "ada@example.com"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	want := "no login of ada@example.com is known; --create makes a contact with the constants only"
	if status, _, text := send(`{"email":"ada@example.com"}`); status != 404 || !strings.Contains(text, want) {
		t.Errorf("without a session: %d %s", status, text)
	}
	if status, known, text := send(`{"email":"ada@example.com","create":true}`); status != 202 || known {
		t.Errorf("with create: %d %s", status, text)
	}
}

func TestShowAndForgetCoverSessionsAndQueue(t *testing.T) {
	t.Parallel()
	o := newOperator(t, withToken)
	o.login("ada@example.com")
	o.login("Ada@Example.com")
	o.login("bob@example.com")
	show := func(email string) (p admin.PersonJSON) {
		if status, text := o.ask("GET", "/api/contacts/person?email="+email, "", &p); status != 200 {
			t.Fatalf("%d %s", status, text)
		}
		return p
	}
	ada := show("ADA@example.com")
	if ada.Forgotten || len(ada.Sessions) != 2 || len(ada.Queue) != 2 || len(ada.Records) != 2 ||
		len(ada.LastLogins) != 2 || ada.Queue[0].Login.Claims["given_name"] != "Ada" {
		t.Errorf("%+v", ada)
	}
	var forgotten admin.ForgottenPerson
	status, text := o.ask("POST", "/api/contacts/forget", `{"email":"ada@example.com"}`, &forgotten)
	if status != 200 || forgotten.Sessions != 2 || forgotten.Entries != 2 || forgotten.Records != 2 ||
		forgotten.LastLogins != 2 || forgotten.InFlight {
		t.Errorf("%d %s", status, text)
	}
	o.login("ada@example.com") // logs in, and is not queued
	ada = show("ada@example.com")
	if !ada.Forgotten || len(ada.Sessions) != 1 || len(ada.Queue)+len(ada.Records)+len(ada.LastLogins) != 0 {
		t.Errorf("%+v", ada)
	}
	if bob := show("bob@example.com"); len(bob.Sessions) != 1 || len(bob.Queue) != 1 || bob.Forgotten {
		t.Errorf("%+v", bob)
	}
	if text := o.log.String(); strings.Contains(text, "90000") || strings.Contains(text, `"reason":"forgotten"`) == false {
		t.Errorf("the log is\n%s", text)
	}
}

// TestForgetLeavesNoSession reads all of Redis: apart from the keyed hash, nothing about the person is left, sealed or
// not.
func TestForgetLeavesNoSession(t *testing.T) {
	t.Parallel()
	o := newOperator(t, withToken)
	s := o.login("ada@example.com")
	before := len(o.gateway.redis.Embedded.Keys())
	if status, text := o.ask("POST", "/api/contacts/forget", `{"email":"ada@example.com"}`, nil); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	ring, err := seal.New(configtest.Environment("HUBGATE_KEY"))
	if err != nil {
		t.Fatal(err)
	}
	left := o.gateway.redis.Embedded.Keys()
	for _, key := range left {
		value, _ := o.gateway.redis.Embedded.Get(key)
		_, err := ring.Open(seal.Summary, []byte(value), []byte(s.Ref))
		if strings.Contains(key, s.Ref) || err == nil {
			t.Errorf("%s is left", key)
		}
	}
	if before < 8 || len(left) > 4 { // the keys in use, the forget key, the forgotten people, and an empty queue
		t.Errorf("%d keys before, then %q", before, left)
	}
}
