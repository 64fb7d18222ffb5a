package gateway

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hubgate/hubgate/session"
)

func TestWebSocketEndsWhenItsListChanges(t *testing.T) {
	t.Parallel()
	s := newListSite(t)
	contact := s.person(ada, "gold", "1234")
	s.login(ada, nil)
	conn, err := net.Dial("tcp", s.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	io.WriteString(conn, "GET /members/echo HTTP/1.1\r\nHost: localhost:8080\r\nCookie: "+s.cookies[ada]+"\r\n"+
		"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	in := bufio.NewReader(conn)
	if res, err := http.ReadResponse(in, nil); err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v %v", res, err)
	}
	s.hubspot.Leave("1234", contact)
	s.want(ada, "/customers/", 200, "") // what is known is fresh
	s.pass(time.Hour)
	s.want(ada, "/customers/", 403, notMember)
	frame := make([]byte, 4)
	if _, err := io.ReadFull(in, frame); err != nil || frame[0] != 0x88 || string(frame[2:]) != "\x03\xf0" { // 1008
		t.Errorf("% x, %v", frame, err)
	}
}

func TestPersonAddedToListEntersWithinAMinute(t *testing.T) {
	t.Parallel()
	s := newListSite(t)
	contact := s.person(ada, "gold")
	s.login(ada, nil)
	s.want(ada, "/customers/", 403, "try again in a minute")
	s.hubspot.Join("1234", contact)
	s.want(ada, "/customers/", 403, notMember)
	s.pass(31 * time.Second)
	s.want(ada, "/customers/", 200, "")
}

// What HubSpot said about the old address says nothing about the new one, although it is the same user.
func TestRefreshWithAnotherAddressFindsAnotherContact(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*session.User){
		notMember:                func(u *session.User) { u.Email = eve },
		"address isn’t verified": func(u *session.User) { u.EmailVerified = false },
	} {
		s := newListSite(t)
		s.person(ada, "gold", "1234")
		s.person(eve, "gold")
		s.login(ada, nil)
		s.want(ada, "/customers/", 200, "")
		user := s.login(ada, func(s *session.Session) { s.Tokens.AccessExpiry = time.Now() }).User
		change(&user)
		gen := s.current.Load()
		s.sessions.Set(session.Settings{
			Config: gen.cfg.Session, Issuer: gen.provider.Issuer(), ClientID: gen.provider.ClientID(),
			RefreshGrace: time.Hour, Refresh: func(context.Context, string) (session.Tokens, session.User, error) {
				return session.Tokens{Access: "b", Refresh: "s", AccessExpiry: time.Now().Add(time.Hour)}, user, nil
			},
		})
		s.want(ada, "/customers/", 403, want)
	}
}

func TestForwardAuthAndUserinfoReportLists(t *testing.T) {
	t.Parallel()
	s := newListSite(t)
	s.person(ada, "gold", "1234", "5678")
	s.person(bob, "gold")
	for _, email := range []string{ada, bob, eve} {
		s.login(email, nil)
	}
	s.want(ada, "/oauth2/auth?lists=customers", 202, "")
	s.want(bob, "/oauth2/auth?lists=customers,beta", 403, "")
	s.want(bob, "/oauth2/auth?path=/customers/", 403, "")
	s.want("", "/oauth2/auth?lists=customers", 401, "")
	s.want(ada, "/oauth2/auth?lists=staff", 403, "")
	if lines := s.log.with("a forward-auth question was refused"); len(lines) != 1 ||
		!strings.Contains(lines[0]["error"].(string), "hubspot.access.lists") {
		t.Errorf("%v", lines)
	}
	s.want(ada, "/oauth2/userinfo", 200, `"lists":["beta","customers"]`)
	s.want(bob, "/oauth2/userinfo", 200, `"lists":[]`)
	calls := s.calls.Load()
	s.want(eve, "/oauth2/userinfo", 200, `"lists":null`)
	if n := s.calls.Load() - calls; n != 0 {
		t.Errorf("/oauth2/userinfo makes %d calls", n)
	}
	s.down.Store(true)
	s.want(eve, "/oauth2/auth?lists=customers", 503, notKnown)
	s.want(eve, "/oauth2/auth", 202, "")
	s.want(eve, "/oauth2/userinfo", 200, `"lists":null`)
}

func TestTestPageShowsWhatHubSpotKnows(t *testing.T) {
	t.Parallel()
	s := newListSite(t)
	s.person(ada, "gold;silver", "1234")
	admin := func(s *session.Session) { s.Groups = []string{"admin"} }
	s.login(ada, admin)
	s.login(eve, admin)
	s.login(bob, nil)
	for _, row := range []string{
		`>List customers (1234)</th><td role="cell" data-label="Answer">yes</td>`, `>Usable until</th>`,
		`>List beta (5678)</th><td role="cell" data-label="Answer">no</td>`,
		`>hubspot.member_tier</th><td role="cell" data-label="Answer">gold, silver</td>`,
		`<code>login, lists customers (1234)</code></td><td role="cell" data-label="Open to you">yes</td>`,
	} {
		s.want(ada, "/oauth2/test", 200, row)
	}
	s.want(eve, "/oauth2/test", 200, "HubSpot has no contact with this address")
	s.want(eve, "/oauth2/test", 200, `>hubspot.member_tier</th><td role="cell" data-label="Answer">empty</td>`)
	s.want(bob, "/oauth2/test", 403, "only for certain accounts")
	s.login(bob, func(s *session.Session) { s.Groups, s.EmailVerified = []string{"admin"}, false })
	s.want(bob, "/oauth2/test", 200, "no verified email address")
	s.down.Store(true)
	s.login("new@example.com", admin)
	for _, text := range []string{
		"HubSpot cannot be asked about visitors: 503", ">unknown: HubSpot’s answer is missing</td>",
	} {
		s.want("new@example.com", "/oauth2/test", 200, text)
	}
	_, body := s.open("new@example.com", "/oauth2/test")
	at := func(caption string) int { return strings.Index(body, ">"+caption+"<") }
	if first := at("What HubSpot knows about you"); first < 0 || first < at("Claims of your login") ||
		at("Rules that need a login") < first {
		t.Errorf("the order of the tables is wrong:\n%s", body)
	}
	for _, m := range gathered(t, s.gateway)["hubgate_hubspot_access_unknown_total"].GetMetric() {
		if n := m.GetCounter().GetValue(); n > 0 {
			t.Errorf("the test page is counted %v times: %v", n, m.GetLabel())
		}
	}
}
