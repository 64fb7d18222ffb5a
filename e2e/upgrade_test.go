package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hubgate/hubgate/internal/testservice"
)

// previousRelease is the commit that this release must work together with, in one Redis, during a rolling update.
const previousRelease = "53370d0"

// buildPrevious builds hubgate of the previous release from the history of the repository, or returns the path that
// HUBGATE_PREVIOUS contains, such as that of a published binary.
func buildPrevious(t *testing.T) string {
	t.Helper()
	if program := os.Getenv("HUBGATE_PREVIOUS"); program != "" {
		return program
	}
	git := testservice.Need(t, "history", "git")
	folder := t.TempDir()
	archive := exec.CommandContext(t.Context(), git, "archive", "--format=tar", previousRelease)
	archive.Dir = ".."
	unpack := exec.CommandContext(t.Context(), "tar", "-x", "-C", folder)
	var err error
	if unpack.Stdin, err = archive.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := unpack.Start(); err != nil {
		t.Fatal(err)
	}
	if err := archive.Run(); err != nil {
		testservice.Lack(t, "history", "commit "+previousRelease+" is not in this clone")
	}
	if err := unpack.Wait(); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(folder, "hubgate-previous")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./cmd/hubgate")
	build.Dir = folder
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// rollingUpdate has a gateway of the previous release and one of this one, in that order, behind a router.
type rollingUpdate struct {
	*site
	t             *testing.T
	previous, now *gateway
}

const (
	previousGateway = iota
	newGateway
)

func newRollingUpdate(t *testing.T, program string) *rollingUpdate {
	t.Helper()
	u := &rollingUpdate{t: t, site: newSite(t, options{routed: true})}
	u.previous = u.newGateway()
	u.previous.program = program
	u.now = u.newGateway()
	u.previous.start()
	u.now.start()
	return u
}

// memberAt returns a visitor who logs in at one gateway.
func (u *rollingUpdate) memberAt(gateway int) *visitor {
	u.t.Helper()
	u.router.pin(gateway)
	defer u.router.pin(-1)
	return u.member()
}

// sees checks what a gateway answers to a visitor of a protected page.
func (u *rollingUpdate) sees(v *visitor, gateway, status int) {
	u.t.Helper()
	if got := v.openAt(u.site, gateway, "/members/"); got.StatusCode != status {
		u.t.Errorf("gateway %d answers %d, want %d", gateway, got.StatusCode, status)
	}
}

func TestReleasesShareOneRedisDuringARollingUpdate(t *testing.T) {
	t.Parallel()
	program := buildPrevious(t)
	for name, test := range map[string]func(*rollingUpdate){
		"sessions": (*rollingUpdate).sharesSessions, "logins": (*rollingUpdate).finishesLogins,
		"contacts": (*rollingUpdate).sendsQueue, "dead letters": (*rollingUpdate).replaysDeadLetters,
		"held contacts": (*rollingUpdate).holdsContacts,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(newRollingUpdate(t, program))
		})
	}
}

// sharesSessions checks that a session of one release is listed, used and ended by the other.
func (u *rollingUpdate) sharesSessions() {
	for login, other := range map[int]int{previousGateway: newGateway, newGateway: previousGateway} {
		v := u.memberAt(login)
		for range 2 { // in the cache the second time
			u.sees(v, other, http.StatusOK)
			u.sees(v, login, http.StatusOK)
		}
		for _, g := range u.gateways {
			if _, list := g.api(http.MethodGet, "/api/sessions?limit=10", ""); strings.Count(list, email) == 0 {
				u.t.Errorf("a gateway lists %s", list)
			}
		}
		// It ends at the other gateway, and at once for both.
		if status, out := u.gateways[other].api(http.MethodDelete, "/api/sessions?user="+email, ""); status != 200 {
			u.t.Errorf("%d %s", status, out)
		}
		u.sees(v, other, http.StatusFound)
		eventually(u.t, "the end is known where the login was", func() bool {
			return v.openAt(u.site, login, "/members/").StatusCode == http.StatusFound
		})
	}
}

// finishesLogins checks that a login that began at one release ends at the other.
func (u *rollingUpdate) finishesLogins() {
	for begin, end := range map[int]int{previousGateway: newGateway, newGateway: previousGateway} {
		v := u.visitor()
		u.router.pin(begin)
		form := v.open(u.url + "/members/")
		if !u.atProvider(form) {
			u.t.Fatalf("no login: %d %s", form.StatusCode, form.Request.URL)
		}
		u.router.pin(end)
		if got := u.submit(v, form); !u.shows(got, "/members/") {
			u.t.Errorf("begun at %d, finished at %d: %d %s", begin, end, got.StatusCode, got.Request.URL)
		}
		u.router.pin(-1)
	}
}

// sendsQueue checks that one release sends the contacts that the other has queued, and has tried to send.
func (u *rollingUpdate) sendsQueue() {
	for _, turn := range []struct{ writes, sends *gateway }{{u.previous, u.now}, {u.now, u.previous}} {
		turn.sends.terminate()
		u.crm.answerAll(http.StatusServiceUnavailable)
		tries := u.crm.upserts()
		writer := previousGateway
		if turn.writes == u.now {
			writer = newGateway
		}
		u.memberAt(writer)
		eventually(u.t, "the contact waits after a failed try", func() bool { return u.crm.upserts() > tries })
		turn.writes.terminate()
		turn.sends.start()
		u.crm.answerAll(http.StatusOK)
		eventually(u.t, "the contact arrives", func() bool { return u.crm.contact(email)["firstname"] != "" })
		eventually(u.t, "the queue is empty", func() bool {
			g := turn.sends
			return g.contacts("queued")+g.contacts("delayed")+g.contacts("in_flight")+g.contacts("dead") == 0
		})
		u.crm.forget()
		turn.writes.start()
	}
}

// only stops the other gateway, so that this one does everything from now on.
func (u *rollingUpdate) only(gateway int) *gateway {
	u.t.Helper()
	g, other := u.gateways[gateway], u.gateways[1-gateway]
	if !g.running() {
		g.start()
	}
	if other.running() {
		other.terminate()
	}
	return g
}

// contacts returns a number of the status of contacts.
func (g *gateway) contacts(name string) float64 {
	g.t.Helper()
	_, text := g.api(http.MethodGet, "/api/contacts", "")
	n, _ := decode(g.t, text)[name].(float64)
	return n
}

// replaysDeadLetters checks that one release shows and replays the dead letters of the other.
func (u *rollingUpdate) replaysDeadLetters() {
	for writes, replays := range map[int]int{previousGateway: newGateway, newGateway: previousGateway} {
		u.crm.forget()
		u.crm.answerAll(http.StatusBadRequest)
		g := u.only(writes)
		u.memberAt(writes)
		eventually(u.t, "a dead letter", func() bool { return g.contacts("dead") == 1 })
		g = u.only(replays)
		if _, list := g.api(http.MethodGet, "/api/contacts/dead", ""); !strings.Contains(list, email) {
			u.t.Errorf("the dead letters are %s", list)
		}
		u.crm.answerAll(http.StatusOK)
		if status, out := g.api(http.MethodPost, "/api/contacts/replay", `{"all": true}`); status != http.StatusOK {
			u.t.Errorf("%d %s", status, out)
		}
		eventually(u.t, "the contact arrives", func() bool { return u.crm.contact(email)["firstname"] != "" })
		eventually(u.t, "no dead letter is left", func() bool { return g.contacts("dead") == 0 })
	}
}

// holdsContacts checks that an unchanged contact, which one release holds until min_interval ends, is not sent early by
// the other.
func (u *rollingUpdate) holdsContacts() {
	for _, g := range u.gateways {
		g.set(config{"hubspot.contacts": "{min_interval: 1h, properties: {firstname: {value: login_count}}}"})
		g.terminate()
	}
	for writes, takes := range map[int]int{previousGateway: newGateway, newGateway: previousGateway} {
		u.redis.cli("flushall")
		u.crm.forget()
		g := u.only(writes)
		settled := func() bool {
			return g.contacts("queued")+g.contacts("in_flight") == 0 && g.contacts("held")+g.contacts("delayed") == 1
		}
		u.memberAt(writes)
		eventually(u.t, "the contact arrives", func() bool { return u.crm.contact(email)["firstname"] != "" })
		u.memberAt(writes)
		eventually(u.t, "a contact is held", settled)
		sent := u.crm.upserts()
		g = u.only(takes)
		u.memberAt(takes) // the same again, which replaces what is held
		eventually(u.t, "a contact is held by the other release", settled)
		if more := u.crm.upserts() - sent; more != 0 {
			u.t.Errorf("held by gateway %d, and sent %d times by the other", writes, more)
		}
	}
}

// forget removes all contacts.
func (c *crm) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.contacts)
}
