package proxy

import (
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hubgate/hubgate/proxy/urlpath"
	"github.com/hubgate/hubgate/session"
)

func TestWebSocketEndsWithMembership(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]*session.CRM{"removed from the list": inLists("5678"), "unknown": nil} {
		s, crm := listStage(t)
		conn, r, _ := s.openSocket(t, "/members/echo", asAlice)
		say(t, conn, r, "hello")
		<-crm.watched // as a WebSocket
		<-crm.watched // as an exchange that takes longer than a second
		crm.set("alice", inLists("1234", "5678"))
		say(t, conn, r, "still here")
		crm.set("alice", after)
		if code, err := readClose(conn, r); code != policyViolation || err != io.EOF {
			t.Errorf("%s: its end is told as %d, %v", name, code, err)
		}
		for crm.open() > 0 { // the handler of a WebSocket ends after the close
			select {
			case <-crm.released:
			case <-time.After(time.Minute):
				t.Fatalf("%s: %d watches were not released", name, crm.open())
			}
		}
	}
}

func TestEventStreamEndsWithMembership(t *testing.T) {
	t.Parallel()
	s, crm := listStage(t)
	conn := s.dial(t)
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(conn, "GET /members/live HTTP/1.1\r\nHost: "+testHost+"\r\n"+asAlice+"\r\n\r\n")
	begin := make([]byte, 64)
	if n, err := conn.Read(begin); err != nil || !strings.HasPrefix(string(begin[:n]), "HTTP/1.1 200") {
		t.Fatalf("%q %v", begin[:n], err)
	}
	<-crm.watched
	<-crm.watched
	crm.set("alice", inLists())
	if _, err := io.Copy(io.Discard, conn); isTimeout(err) {
		t.Error("it goes on")
	}
}

// A public page's stream does not depend on HubSpot.
func TestPublicStreamNeverAsksHubSpot(t *testing.T) {
	t.Parallel()
	s, crm := listStage(t)
	conn, r, _ := s.openSocket(t, "/workshop/echo", asAlice)
	say(t, conn, r, "hello")
	if calls, n := crm.asked(), crm.open(); len(calls) != 0 || n != 0 {
		t.Errorf("%q, %d watches", calls, n)
	}
}

func TestRedecideReportsUntilWhen(t *testing.T) {
	t.Parallel()
	s, crm := listStage(t)
	open := func(path string) (Open, *session.Session) {
		r := httptest.NewRequest("GET", path, nil)
		p, err := urlpath.Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Cookie", "__Host-hubgate=alice")
		who, err := visitor(r)
		if err != nil {
			t.Fatal(err)
		}
		return Open{Request: r, Host: testHost, Path: p, Session: who}, who
	}
	if d, until := s.gate.Redecide(open("/customers/")); !d.Admits() || !until.Equal(crm.known["alice"].UsableUntil) {
		t.Errorf("a list: %+v until %v", d, until)
	}
	if d, until := s.gate.Redecide(open("/read/a")); !d.Admits() || !until.IsZero() {
		t.Errorf("a plain rule: %+v until %v", d, until)
	}
}

// A logout must end an exchange while it waits for HubSpot.
func TestSessionEndDoesNotWaitForHubSpot(t *testing.T) {
	t.Parallel()
	e := &sessionEnds{channels: map[string]chan struct{}{}}
	e.admitted.Store(true)
	waits := make(chan struct{}, 9)
	s, _ := listStage(t, func(d *stubs) {
		d.ended = e.ended
		d.redecide = func(o Open) bool {
			if !e.admitted.Load() {
				return false
			}
			waits <- struct{}{}
			<-o.Request.Context().Done() // HubSpot does not answer
			return false
		}
	})
	conn, r, _ := s.openSocket(t, "/members/echo", asAlice)
	say(t, conn, r, "hello")
	<-waits
	e.end("alice") // its claims changed, say
	<-waits
	say(t, conn, r, "still here")
	e.admitted.Store(false)
	e.end("alice")
	if code, err := readClose(conn, r); code != policyViolation || err != io.EOF {
		t.Errorf("its end is told as %d, %v", code, err)
	}
}
