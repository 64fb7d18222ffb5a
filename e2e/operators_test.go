package e2e

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sessionRow is what an operator sees of a session. Scripts depend on the names.
type sessionRow struct {
	ID, User, Email, Host, Address string
	Created                        time.Time `json:"created_at"`
	Seen                           time.Time `json:"last_seen_at"`
	Expires                        time.Time `json:"expires_at"`
}

type sessionList struct {
	Sessions []sessionRow
	Next     string
}

func TestSessionsAPIListsAndEndsWithoutScanning(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	g := s.serve()
	var visitors []*visitor
	for range 7 {
		v := newVisitor(t)
		s.login(v, "/members/")
		visitors = append(visitors, v)
	}
	s.redis.cli("config", "resetstat")

	seen, pages := map[string]sessionRow{}, 0
	for cursor := ""; pages == 0 || cursor != ""; pages++ {
		var list sessionList
		status := g.object("GET", "/api/sessions?limit=3&cursor="+url.QueryEscape(cursor), &list)
		if status != http.StatusOK || len(list.Sessions) > 3 {
			t.Fatalf("page %d: %d %+v", pages, status, list)
		}
		for _, row := range list.Sessions {
			seen[row.ID] = row
		}
		cursor = list.Next
	}
	if len(seen) != 7 || pages != 3 {
		t.Errorf("%d sessions on %d pages", len(seen), pages)
	}
	for id, row := range seen {
		if row.Email != email || row.User == "" || row.Host != strings.TrimPrefix(s.url, "http://") ||
			row.Address != "127.0.0.1" || len(id) != 32 || row.Seen.Before(row.Created) ||
			row.Expires.Sub(row.Created) != 12*time.Hour || time.Since(row.Created) > 5*time.Minute {
			t.Errorf("%+v", row)
		}
	}
	g.rejectsInvalidSessionRequests()

	first := slices.Sorted(maps.Keys(seen))[0]
	var one struct{ Ended int }
	if status := g.object("DELETE", "/api/sessions/"+first, &one); status != http.StatusOK || one.Ended != 1 {
		t.Errorf("end one: %d %+v", status, one)
	}
	out := g.must("sessions", "end", "--user", strings.ToUpper(email))
	if !strings.HasPrefix(out, "6 sessions ended\n") { // a warning follows
		t.Errorf("end all: %q", out)
	}
	for _, v := range visitors {
		got := v.open(s.url + "/members/")
		if strings.HasPrefix(got.Request.URL.String(), s.url+"/members") {
			t.Errorf("an ended session opens %s: %d", got.Request.URL, got.StatusCode)
		}
	}
	used := s.redis.cli("info", "commandstats")
	for _, scan := range []string{"cmdstat_keys:", "cmdstat_scan:", "cmdstat_zscan:", "cmdstat_randomkey:"} {
		if strings.Contains(used, scan) {
			t.Errorf("listing or ending scans Redis: %s\n%s", scan, used)
		}
	}
}

// rejectsInvalidSessionRequests checks that an invalid request is answered with its cause, and ends no session.
func (g *gateway) rejectsInvalidSessionRequests() {
	g.t.Helper()
	got := map[string]int{}
	want := map[string]int{
		"GET /api/sessions?cursor=nonsense":                     400,
		"GET /api/sessions?cursor=MHwtMXw":                      400,
		"GET /api/sessions?limit=0":                             400,
		"GET /api/sessions?limit=x":                             400,
		"GET /api/sessions?limit=100000":                        400,
		"GET /api/sessions?user=":                               400,
		"GET /api/sessions?usr=a":                               400,
		"GET /api/sessions?user=nobody@example.com":             200,
		"DELETE /api/sessions":                                  400,
		"DELETE /api/sessions?user=":                            400,
		"DELETE /api/sessions?user=nobody@example.com":          200,
		"DELETE /api/sessions/00000000000000000000000000000000": 404,
		"DELETE /api/sessions/x*":                               404,
	}
	for request := range want {
		method, path, _ := strings.Cut(request, " ")
		var problem struct {
			Title, Detail string
			Status        int
		}
		got[request] = g.object(method, path, &problem)
		if got[request] >= 400 && (problem.Detail == "" || problem.Status != got[request]) {
			g.t.Errorf("%s: %+v", request, problem)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		g.t.Error(d)
	}
	var all sessionList
	if g.object("GET", "/api/sessions", &all); len(all.Sessions) != 7 {
		g.t.Errorf("an invalid request ended sessions: %d are left", len(all.Sessions))
	}
}
