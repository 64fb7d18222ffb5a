package proxy

import (
	"bufio"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/proxy/fakesite"
	"github.com/hubgate/hubgate/proxy/rules"
	"github.com/hubgate/hubgate/session"
)

func listRules() []rules.RuleConfig {
	list := func(path string, names ...string) rules.RuleConfig {
		return rules.RuleConfig{Path: []string{path}, Lists: names}
	}
	claim := func(path, name, value string) rules.RuleConfig {
		return rules.RuleConfig{Path: []string{path}, Claims: map[string]setting.Words{name: {value}}}
	}
	partners := list("/partner-customers/**", "customers")
	partners.Groups = []string{"partner"}
	return append(gateRules(), list("/customers/**", "customers"), list("/any/**", "beta", "customers"), partners,
		list("/members/echo", "customers"), list("/members/live", "customers"),
		claim("/gold/**", "hubspot.member_tier", "gold"), claim("/bronze/**", "hubspot.member_tier", "bronze"))
}

func listStage(t *testing.T, change ...func(*stubs)) (*stage, *crmStub) {
	t.Helper()
	crm := newCRMStub()
	site := fakesite.New(fakesite.Config{})
	origin := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/echo") || strings.HasSuffix(r.URL.Path, "/live") {
			site.ServeHTTP(w, r)
			return
		}
		w.Write([]byte("origin"))
	})
	s := newStage(t, staging{cfg: testConfig(origin.URL, listRules()...), change: func(d *stubs) {
		d.CRM = crm
		for _, f := range change {
			f(d)
		}
	}})
	return s, crm
}

const asCarol = "Cookie: __Host-hubgate=carol" // her address is not verified

func TestListsAndPropertiesAdmit(t *testing.T) {
	t.Parallel()
	s, crm := listStage(t)
	const member, other, denied = "alice", "bob", "bob denied"
	for _, c := range []struct {
		name, target string
		headers      []string
		status       int
		reason, has  string
		asked        []string
	}{
		{"a member", "/customers/", []string{asAlice}, 200, "admitted", "origin", []string{member}},
		{"a member of another list", "/customers/", []string{asBob}, 403, "lists", "If you were just added",
			[]string{other, denied}},
		{"of either list", "/any/", []string{asBob}, 200, "admitted", "origin", []string{other}},
		{"a value of the property", "/gold/", []string{asBob}, 200, "admitted", "origin", []string{other}},
		{"no value of the property", "/bronze/", []string{asBob}, 403, "properties", "If they were just changed",
			[]string{other, denied}},
		{"an address that is not verified", "/customers/", []string{asCarol}, 403, "email_unverified",
			"Verify it with the login service", nil},
		{"not in the group anyway", "/partner-customers/", []string{asBob}, 403, "groups", "", nil},
		{"not logged in", "/customers/", []string{navigate}, 302, "no_session", "", nil},
		{"logged in, for a plain rule", "/read/a", []string{asBob}, 200, "admitted", "origin", nil},
		{"a member, for a public page", "/pricing", []string{asAlice}, 200, "public_rule", "origin", nil},
		{"Redis is unavailable", "/customers/", []string{"Cookie: __Host-hubgate=broken"}, 503, "store", "", nil},
	} {
		got := s.get(t, "GET", c.target, append(c.headers, "Accept: text/html", "Connection: close")...)
		o := s.last.Load().Outcome
		if got.StatusCode != c.status || o.Reason != c.reason || !strings.Contains(got.body, c.has) {
			t.Errorf("%s: %d, %s, want %d, %s, with %q:\n%s", c.name, got.StatusCode, o.Reason, c.status, c.reason, c.has,
				got.body)
		}
		if calls := crm.asked(); !slices.Equal(calls, c.asked) {
			t.Errorf("%s: asked about %q, want %q", c.name, calls, c.asked)
		}
		if c.status == 403 && !strings.Contains(got.body, "/oauth2/sign_out") {
			t.Errorf("%s: no button for another account", c.name)
		}
	}
}

// A person who was just added to a list is admitted as soon as HubSpot says so, not when the old answer is too old.
func TestRecentAnswerCorrectsDenial(t *testing.T) {
	t.Parallel()
	s, crm := listStage(t)
	crm.recent["bob"] = inLists("1234")
	if got := s.get(t, "GET", "/customers/", asBob); got.StatusCode != 200 {
		t.Errorf("%d", got.StatusCode)
	}
}

// A visitor whom an old answer denies waits for a newer one, but not for twice as long.
func TestBothQuestionsShareOneWait(t *testing.T) {
	t.Parallel()
	s, crm := listStage(t)
	began := time.Now()
	s.get(t, "GET", "/customers/", asBob, "Connection: close")
	if len(crm.until) != 2 || !crm.until[0].Equal(crm.until[1]) || crm.until[0].After(began.Add(crmWait+time.Second)) {
		t.Errorf("asked at %s, answers are awaited until %v", began, crm.until)
	}
}

func TestUnknownMembershipIs503(t *testing.T) {
	t.Parallel()
	s, crm := listStage(t)
	expired, partial := inLists("1234"), inLists("5678")
	expired.UsableUntil = time.Now()
	delete(partial.Lists, "1234")
	for name, known := range map[string]*session.CRM{"nothing": nil, "too old": expired, "another list": partial} {
		crm.set("alice", known)
		got := s.get(t, "GET", "/customers/", asAlice, "Accept: text/html", "Connection: close")
		o := s.last.Load().Outcome
		if got.StatusCode != 503 || got.Header.Get("Retry-After") == "" || o.Decision != "error" || o.Reason != "crm" ||
			o.Rule != "/customers/**" || o.SessionRef != "alice" || got.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d %v %+v", name, got.StatusCode, got.Header, o)
		}
		if text := o.Err.Error(); known == nil && !strings.Contains(text, "HubSpot is asleep") {
			t.Errorf("%s: the line says %s", name, text)
		}
		if !strings.Contains(got.body, "whether you have access") || !strings.Contains(got.body, "/oauth2/sign_out") {
			t.Errorf("%s: %s", name, got.body)
		}
		if plain := s.get(t, "GET", "/read/a", asAlice, "Connection: close"); plain.StatusCode != 200 {
			t.Errorf("%s: a page of another rule: %d", name, plain.StatusCode)
		}
	}
}

// A visitor who waits for HubSpot must not keep others waiting.
func TestWaitForHubSpotDelaysOnlyItsVisitor(t *testing.T) {
	t.Parallel()
	s, crm := listStage(t)
	answers := make(chan struct{})
	crm.hold["bob"] = answers
	conn := s.dial(t)
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(conn, "GET /any/ HTTP/1.1\r\nHost: "+testHost+"\r\n"+asBob+"\r\n\r\n")
	<-answers // the request waits
	for target, visitor := range map[string]string{"/any/": asAlice, "/read/a": asBob, "/pricing": asBob} {
		if got := s.get(t, "GET", target, visitor, "Connection: close"); got.StatusCode != 200 {
			t.Errorf("%s: %d", target, got.StatusCode)
		}
	}
	close(answers)
	if res, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || res.StatusCode != 200 {
		t.Errorf("%v, %v", res, err)
	}
}

func TestVisitorWhoLeavesBeforeHubSpotAnswersIsRecorded(t *testing.T) {
	t.Parallel()
	s, crm := listStage(t)
	crm.hold["bob"], crm.known["bob"] = make(chan struct{}), nil
	conn := s.dial(t)
	io.WriteString(conn, "GET /any/ HTTP/1.1\r\nHost: "+testHost+"\r\n"+asBob+"\r\n\r\n")
	<-crm.hold["bob"]
	conn.Close()
	s.server.Close() // waits for the handler
	if o := s.last.Load().Outcome; o.Decision != "error" || o.Reason != "client_gone" || o.Rule != "/any/**" {
		t.Errorf("%+v", o)
	}
}

// A claim of the provider, which a user may be able to set, is not what HubSpot says.
func TestClaimIsNotProperty(t *testing.T) {
	t.Parallel()
	forge := func(d *stubs) { d.Sessions = forger{d.Sessions} }
	s, _ := listStage(t, forge)
	got := s.get(t, "GET", "/bronze/", asBob)
	if o := s.last.Load().Outcome; got.StatusCode != 403 || o.Reason != "properties" {
		t.Errorf("%d %s", got.StatusCode, o.Reason)
	}
}

// forger adds claims that look like what HubSpot says.
type forger struct{ Sessions }

func (f forger) Load(w http.ResponseWriter, r *http.Request) (*session.Session, error) {
	s, err := f.Sessions.Load(w, r)
	if err == nil {
		s.Claims = map[string]any{
			"hubspot.member_tier": "bronze", "member_tier": "bronze", "lists": []any{"customers", "1234"},
			"hubspot": map[string]any{"member_tier": "bronze"},
		}
	}
	return s, err
}

func TestForwardAuthJudgesLists(t *testing.T) {
	t.Parallel()
	s, crm := listStage(t)
	for _, c := range []asked{
		{"a member", s, "?lists=customers", []string{asAlice}, 202},
		{"not a member", s, "?lists=customers", []string{asBob}, 403},
		{"of any of them", s, "?lists=customers,beta", []string{asBob}, 202},
		{"not verified", s, "?lists=customers", []string{asCarol}, 403},
		{"anonymous", s, "?lists=customers", nil, 401},
		{"groups are and-ed", s, "?lists=customers&groups=partner", []string{asAlice}, 202},
		{"groups are and-ed", s, "?groups=staff&lists=customers", []string{asAlice}, 403},
		{"a public path", s, "?path=/pricing&lists=beta", []string{asBob}, 202},
		{"a public path, anonymous", s, "?path=/pricing&lists=beta", nil, 401},
		{"a path and another list", s, "?path=/customers/&lists=beta", []string{asAlice}, 403},
		{"the path's own list", s, "?path=/customers/", []string{asAlice}, 202},
		{"the path's own list", s, "?path=/customers/", []string{asBob}, 403},
		{"a property", s, "?path=/gold/", []string{asBob}, 202},
		{"an unknown list", s, "?lists=staff", []string{asAlice}, 403},
		{"an unknown list, anonymous", s, "?lists=staff", nil, 401},
		{"a known list, anonymous", s, "?lists=customers", nil, 401},
		{"unknown lists and a path, anonymous", s, "?lists=staff,guests&path=/", nil, 401},
		{"an unknown list beside a known one", s, "?lists=customers,staff", []string{asAlice}, 403},
		{"an id", s, "?lists=1234", []string{asAlice}, 403},
		{"twice", s, "?lists=customers&lists=customers", []string{asAlice}, 403},
		{"empty", s, "?lists=", []string{asAlice}, 403},
		{"empty beside another", s, "?lists=customers,", []string{asAlice}, 403},
	} {
		c.check(t)
	}
	crm.set("alice", nil)
	asked{"unknown", s, "?lists=customers", []string{asAlice}, 503}.check(t)
	asked{"unknown, and not in the group anyway", s, "?lists=customers&groups=staff", []string{asAlice}, 403}.check(t)
	asked{"unknown for the path", s, "?path=/customers/", []string{asAlice}, 503}.check(t)
	asked{"of no interest", s, "?path=/read/a", []string{asAlice}, 202}.check(t)
}
