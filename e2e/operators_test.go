package e2e

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// operator asks the admin API and reads its answer.
func (w *world) operator(method, path string, into any) int {
	w.t.Helper()
	status, body := w.admin(method, path, adminToken)
	if err := json.Unmarshal([]byte(body), into); err != nil {
		w.t.Fatalf("%s %s: %d %v\n%s", method, path, status, err, body)
	}
	return status
}

// row is what an operator sees of a session; the names are the contract's.
type row struct {
	ID, User, Email, Host, Address string
	Created                        time.Time `json:"created_at"`
	Seen                           time.Time `json:"last_seen_at"`
	Expires                        time.Time `json:"expires_at"`
}

type rows struct {
	Sessions []row
	Next     string
}

func TestOperatorsSeeAndEndSessionsWithoutWalkingThroughRedis(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve()
	var visitors []*visitor
	for range 7 {
		v := newVisitor(t)
		w.login(v, "/members/")
		visitors = append(visitors, v)
	}
	redisCLI(t, w.redisPort, "config", "resetstat")

	seen, pages := map[string]row{}, 0
	for cursor := ""; pages == 0 || cursor != ""; pages++ {
		var page rows
		if status := w.operator("GET", "/api/sessions?limit=3&cursor="+url.QueryEscape(cursor), &page); status != http.StatusOK || len(page.Sessions) > 3 {
			t.Fatalf("page %d: %d %+v", pages, status, page)
		}
		for _, s := range page.Sessions {
			seen[s.ID] = s
		}
		cursor = page.Next
	}
	if len(seen) != 7 || pages != 3 {
		t.Errorf("%d sessions on %d pages", len(seen), pages)
	}
	for id, s := range seen {
		if s.Email != email || s.User == "" || s.Host != strings.TrimPrefix(w.site(), "http://") || s.Address != "127.0.0.1" || len(id) != 32 ||
			s.Seen.Before(s.Created) || s.Expires.Sub(s.Created) != 12*time.Hour || time.Since(s.Created) > time.Minute*5 {
			t.Errorf("%+v", s)
		}
	}
	w.refusesWhatIsWrong()

	first := slices.Sorted(maps.Keys(seen))[0]
	var one struct{ Ended int }
	if status := w.operator("DELETE", "/api/sessions/"+first, &one); status != http.StatusOK || one.Ended != 1 {
		t.Errorf("end one: %d %+v", status, one)
	}
	out, err := exec.CommandContext(t.Context(), binary, "sessions", "end", "--user", strings.ToUpper(email), "--config", w.config).Output()
	if err != nil || string(out) != "6 sessions ended\n" {
		t.Errorf("end all: %v %q", err, out)
	}
	for _, v := range visitors {
		if got := v.open(w.site() + "/members/"); strings.HasPrefix(got.Request.URL.String(), w.site()+"/members") {
			t.Errorf("an ended session opens %s: %d", got.Request.URL, got.StatusCode)
		}
	}
	used := redisCLI(t, w.redisPort, "info", "commandstats")
	for _, walk := range []string{"cmdstat_keys:", "cmdstat_scan:", "cmdstat_zscan:", "cmdstat_randomkey:"} {
		if strings.Contains(used, walk) {
			t.Errorf("listing and ending walks through Redis: %s\n%s", walk, used)
		}
	}
}

// refusesWhatIsWrong: an operator's mistake is told, and ends nobody's session.
func (w *world) refusesWhatIsWrong() {
	w.t.Helper()
	got := map[string]int{}
	want := map[string]int{
		"GET /api/sessions?cursor=nonsense": 400, "GET /api/sessions?cursor=MHwtMXw": 400, "GET /api/sessions?limit=0": 400, "GET /api/sessions?limit=x": 400,
		"GET /api/sessions?limit=100000": 400, "GET /api/sessions?user=": 400, "GET /api/sessions?usr=a": 400, "GET /api/sessions?user=nobody@example.com": 200,
		"DELETE /api/sessions": 400, "DELETE /api/sessions?user=": 400, "DELETE /api/sessions?user=nobody@example.com": 200,
		"DELETE /api/sessions/00000000000000000000000000000000": 404, "DELETE /api/sessions/x*": 404,
	}
	for request := range want {
		method, path, _ := strings.Cut(request, " ")
		var problem struct {
			Title, Detail string
			Status        int
		}
		got[request] = w.operator(method, path, &problem)
		if got[request] >= 400 && (problem.Detail == "" || problem.Status != got[request]) {
			w.t.Errorf("%s: %+v", request, problem)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		w.t.Error(d)
	}
	var all rows
	if w.operator("GET", "/api/sessions", &all); len(all.Sessions) != 7 {
		w.t.Errorf("a mistake ended sessions: %d are left", len(all.Sessions))
	}
}
