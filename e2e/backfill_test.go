package e2e

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
)

// backfillPeople is more than fits into two requests of the command.
const backfillPeople = 500

// newBackfillSite starts a site with a fake HubSpot, where one person of the file people.csv has logged in.
func newBackfillSite(t *testing.T) (s *site, g *gateway, portal *fakehubspot.Server, file string) {
	t.Helper()
	portal = fakehubspot.New(fakehubspot.Config{FaultPercent: fakehubspot.NoFaults})
	api := httptest.NewServer(portal)
	t.Cleanup(api.Close)
	s = newSite(t, options{config: config{"hubspot.api_url": api.URL}})
	g = s.serve()
	s.login(newVisitor(t), "/members/")
	eventually(t, "the login is in HubSpot", func() bool { return len(portal.Contacts()) == 1 })
	var text strings.Builder
	text.WriteString("email;email_verified;sub;given_name\n")
	for i := range backfillPeople {
		fmt.Fprintf(&text, "p%d@example.com;true;sub-%d;File\n", i, i)
	}
	fmt.Fprintf(&text, "%s;true;;File\nbad row\n", email)
	return s, g, portal, write(t, "people.csv", text.String())
}

// killer is a proxy in front of the admin API that calls kill before or after one of the requests of an import.
type killer struct {
	*httptest.Server
	mu     sync.Mutex
	number int // of the next request of an import
	at     int
	after  bool
	kill   func()
}

func newKiller(t *testing.T, g *gateway) *killer {
	t.Helper()
	target, err := url.Parse(address(g.admin))
	if err != nil {
		t.Fatal(err)
	}
	k, proxy := &killer{}, httputil.NewSingleHostReverseProxy(target)
	proxy.ErrorLog = log.New(io.Discard, "", 0) // the killed ones
	k.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			proxy.ServeHTTP(w, r)
			return
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		k.number++
		if k.number == k.at && !k.after {
			k.kill()
		}
		answer := httptest.NewRecorder()
		proxy.ServeHTTP(answer, r)
		if k.number == k.at && k.after {
			k.kill()
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	}))
	t.Cleanup(k.Close)
	return k
}

// arm makes the next import be killed.
func (k *killer) arm(at int, after bool, kill func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.number, k.at, k.after, k.kill = 0, at, after, kill
}

var entriesAdded = regexp.MustCompile(`entries-added\s+(\d+)`)

// TestBackfillSurvivesKills kills the command and the gateway before and after each request of an import. The command
// waits for the gateway; a killed command is repeated.
func TestBackfillSurvivesKills(t *testing.T) {
	t.Parallel()
	s, g, portal, file := newBackfillSite(t)
	k := newKiller(t, g)
	token := write(t, "token", adminToken)
	start := func() *process {
		return start(t, binary, "contacts", "backfill", file, "--admin", k.URL, "--token-file", token)
	}
	for at := 1; at <= 3; at++ {
		for _, after := range []bool{false, true} {
			var client *process
			started := make(chan struct{})
			k.arm(at, after, func() { <-started; client.kill() })
			client = start()
			close(started)
			client.wait()

			killed := make(chan struct{})
			k.arm(at, after, func() { g.kill(); close(killed) })
			client = start()
			<-killed
			g.start()
			if status := client.wait(); status != 3 { // for the row with a mistake
				t.Errorf("the gateway was killed at request %d: exit status %d", at, status)
			}
		}
	}
	k.arm(0, false, nil)
	status, out := g.command("contacts", "backfill", file)
	if status != 3 || !strings.Contains(out, "line 503: has 1 field, but the header has 4;") ||
		!strings.Contains(out,
			"0 rows queued, 500 queued before, 1 of people who have logged in, left as they are, 1 not imported") {
		t.Errorf("%d %s", status, out)
	}
	eventually(t, "everybody is in HubSpot", func() bool { return len(portal.Contacts()) == backfillPeople+1 })
	for _, c := range portal.Contacts() {
		imported := c.Properties["email"] != email
		if (c.Properties["firstname"] == "File") != imported {
			t.Errorf("%v", c.Properties)
		}
	}
	stream := s.redis.cli("XINFO", "STREAM", "hubgate:{crm}:stream")
	if added := entriesAdded.FindStringSubmatch(stream); added == nil || added[1] != fmt.Sprint(backfillPeople+1) {
		t.Errorf("not every row was queued once: %s", stream)
	}
}

func TestBackfillReadsAPipeAndPreviews(t *testing.T) {
	t.Parallel()
	_, g, portal, file := newBackfillSite(t)
	status, out := g.command("contacts", "backfill", file, "--dry-run")
	if status != 3 || !strings.Contains(out, "501 rows to send, 1 bad row; nothing was sent") ||
		!strings.Contains(out, "and 481 more rows") || len(portal.Contacts()) != 1 {
		t.Errorf("%d %s", status, out)
	}
	folder := t.TempDir()
	if err := os.Symlink(binary, folder+"/hubgate"); err != nil {
		t.Fatal(err)
	}
	status, out = shell(t, folder, "hubgate contacts backfill - --config "+g.file+" < "+file)
	if status != 3 || !strings.Contains(out, "500 rows queued, 1 of people who have logged in") {
		t.Errorf("%d %s", status, out)
	}
	eventually(t, "everybody is in HubSpot", func() bool { return len(portal.Contacts()) == backfillPeople+1 })
}
