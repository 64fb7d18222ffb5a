package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/hubspot"
	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/command"
)

// importAPI is an admin API that queues rows as a gateway does.
type importAPI struct {
	t        *testing.T
	url      string
	room     int             // rows that a request finds room for; 0 = all
	queued   map[string]bool // by file and row
	rows     []int           // in the order in which they were queued
	requests int
	failAt   int           // the request that fails; 0 = none
	done     bool          // it fails after its rows were queued
	status   int           // its response; 0 = the connection breaks
	state    outbox.Status // of the queue
}

func newImportAPI(t *testing.T) *importAPI {
	t.Helper()
	a := &importAPI{t: t, queued: map[string]bool{}}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	a.url = server.URL
	return a
}

func (a *importAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/version":
		fmt.Fprint(w, `{"go_version":"go"}`)
		return
	case "/api/contacts":
		_ = json.NewEncoder(w).Encode(a.state)
		return
	}
	if a.requests++; a.requests == a.failAt && !a.done {
		a.fail(w)
		return
	}
	var in hubspot.Import
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&in); err != nil {
		a.t.Error(err)
	}
	done := hubspot.Imported{Skipped: []hubspot.SkippedRow{}}
	for _, row := range in.Rows {
		name := fmt.Sprint(in.File, row.Row)
		switch {
		case strings.HasSuffix(row.Claims["email"], "@staff.example"):
			done.Skipped = append(done.Skipped, hubspot.SkippedRow{Row: row.Row, Reason: "excluded by skip", Excluded: true})
		case strings.HasSuffix(row.Claims["email"], "@groups.example"):
			done.Skipped = append(done.Skipped, hubspot.SkippedRow{Row: row.Row, Reason: "groups unknown"})
		case a.queued[name]:
			done.Repeated++
		case a.room > 0 && done.Queued == a.room:
			done.Retry = 0.001
		default:
			a.queued[name] = true
			a.rows = append(a.rows, row.Row)
			done.Queued++
		}
		if done.Retry > 0 {
			break
		}
		done.Rows++
	}
	if a.requests == a.failAt {
		a.fail(w)
		return
	}
	_ = json.NewEncoder(w).Encode(done)
}

func (a *importAPI) fail(w http.ResponseWriter) {
	if a.status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(a.status)
	fmt.Fprint(w, `{"detail":"it failed"}`)
}

// backfill runs the command with a file, and stdin if the file is -.
func (a *importAPI) backfill(file string, args ...string) (status int, stdout, stderr string) {
	a.t.Helper()
	token := filepath.Join(a.t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("token"), 0o600); err != nil {
		a.t.Fatal(err)
	}
	args = append([]string{"contacts", "backfill", file, "--admin", a.url, "--token-file", token}, args...)
	return hubgate(a.t, args...)
}

// peopleCSV writes a file with people, of whom every nth row is bad.
func peopleCSV(t *testing.T, n, bad int) string {
	t.Helper()
	var text strings.Builder
	text.WriteString("email,email_verified\n")
	for i := range n {
		fmt.Fprintf(&text, "p%d@example.com,%v\n", i, bad == 0 || i%bad != 0)
	}
	file := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestBackfillQueuesEachRowOnce(t *testing.T) {
	t.Parallel()
	a := newImportAPI(t)
	file := peopleCSV(t, 1300, 0)
	for _, want := range []string{"1,300 rows queued\n", "0 rows queued, 1,300 queued before\n"} {
		if status, stdout, stderr := a.backfill(file); status != command.ExitOK || stdout != want || stderr != "" {
			t.Errorf("%d %q %q, want %q", status, stdout, stderr, want)
		}
	}
	want := make([]int, 1300)
	for i := range want {
		want[i] = i + 1
	}
	if d := cmp.Diff(want, a.rows); d != "" {
		t.Error(d)
	}
}

func TestBackfillGoesOnAfterACrash(t *testing.T) {
	t.Parallel()
	file := peopleCSV(t, 1300, 0)
	for at := 1; at <= 3; at++ {
		for _, done := range []bool{false, true} {
			a := newImportAPI(t)
			a.failAt, a.done, a.status = at, done, http.StatusInternalServerError
			status, stdout, stderr := a.backfill(file)
			if status != command.ExitFailed || stdout != "" || !strings.Contains(stderr, "run the same command again") {
				t.Errorf("request %d fails: %d %q %q", at, status, stdout, stderr)
			}
			if status, _, stderr = a.backfill(file); status != command.ExitOK || len(a.rows) != 1300 {
				t.Errorf("request %d failed, done: %v: the second time: %d %q, %d rows", at, done, status, stderr, len(a.rows))
			}
		}
	}
}

func TestBackfillWaitsForRoomInTheQueue(t *testing.T) {
	t.Parallel()
	a := newImportAPI(t)
	a.room = 70
	status, stdout, stderr := a.backfill(peopleCSV(t, 600, 0))
	if status != command.ExitOK || stdout != "600 rows queued\n" || stderr != "" || len(a.rows) != 600 {
		t.Errorf("%d %q %q, %d rows", status, stdout, stderr, len(a.rows))
	}
}

func TestBackfillNamesBadRows(t *testing.T) {
	t.Parallel()
	a := newImportAPI(t)
	file := peopleCSV(t, 9000, 3)
	status, stdout, _ := a.backfill(file)
	if status != command.ExitFound || strings.Count(stdout, "email_verified is not true; let") != 20 ||
		!strings.HasPrefix(stdout, "line 2: ") || !strings.Contains(stdout, "\nand 2,980 more bad rows;") ||
		!strings.HasSuffix(stdout, "6,000 rows queued, 3,000 not imported\n") {
		t.Errorf("%d %.3000s", status, stdout)
	}
	var list struct {
		Rows []struct {
			Row, Line   int
			Fault, Cure string
		}
		BadRows int `json:"bad_rows"`
	}
	status, stdout, _ = a.backfill(file, "--output", "json")
	if err := json.Unmarshal([]byte(stdout), &list); err != nil || status != command.ExitFound || list.BadRows != 3000 ||
		len(list.Rows) != 3000 || list.Rows[2999].Line != 8999 || list.Rows[2999].Cure == "" {
		t.Errorf("%d %v %.300s", status, err, stdout)
	}
	if status, stdout, _ = a.backfill(file, "--trust-emails"); status != command.ExitOK ||
		!strings.HasPrefix(stdout, "3,000") {
		t.Errorf("%d %.3000s", status, stdout)
	}
}

func TestBackfillNamesRowsThatTheGatewaySkips(t *testing.T) {
	t.Parallel()
	a := newImportAPI(t)
	file := filepath.Join(t.TempDir(), "people.json")
	text := `{"Users": [
{"Attributes": [{"Name": "email", "Value": "ada@example.com"}]},
{"Attributes": [{"Name": "email", "Value": "bob@groups.example"}]},
{"Attributes": [{"Name": "email", "Value": "eve@staff.example"}]}
]}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	want := "line 3: groups unknown\n1 row queued, 1 not imported, 1 skipped (excluded by skip)\n"
	if status, stdout, stderr := a.backfill(file, "--trust-emails"); status != command.ExitFound || stdout != want {
		t.Errorf("%d %q %q", status, stdout, stderr)
	}
}

func TestBackfillSucceedsForExcludedPeople(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 3; n++ {
		a := newImportAPI(t)
		file := filepath.Join(t.TempDir(), "people.csv")
		text := "email,email_verified\nada@example.com,true\n"
		for i := range n {
			text += fmt.Sprintf("p%d@staff.example,true\n", i)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("1 row queued, %d skipped (excluded by skip)\n", n)
		if status, stdout, stderr := a.backfill(file); status != command.ExitOK || stdout != want {
			t.Errorf("%d %q %q", status, stdout, stderr)
		}
	}
}

const verifiedUser = `{"Attributes":[{"Name":"email","Value":"ada@example.com"},` +
	`{"Name":"email_verified","Value":"true"}]}`

func TestBackfillSendsNothingOfABrokenFile(t *testing.T) {
	t.Parallel()
	for text, fault := range map[string]string{
		"name\nada\n":               "there is no column email",
		"email\n":                   "there is no column email_verified",
		`{"Users":[` + verifiedUser: "JSON",
		"\xFF\xFEe\x00":             "UTF-16",
	} {
		a := newImportAPI(t)
		file := filepath.Join(t.TempDir(), "people")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		status, stdout, stderr := a.backfill(file)
		if status != command.ExitUsage || stdout != "" || !strings.Contains(stderr, fault) ||
			!strings.Contains(stderr, "line 1") || a.requests > 0 {
			t.Errorf("%q: %d %q %q, %d requests", text, status, stdout, stderr, a.requests)
		}
	}
	a := newImportAPI(t)
	if status, _, stderr := a.backfill(filepath.Join(t.TempDir(), "no")); status != command.ExitUsage || stderr == "" {
		t.Errorf("no file: %d %q", status, stderr)
	}
}

func TestBackfillRequestsFitTheAdminAPI(t *testing.T) {
	t.Parallel()
	a := newImportAPI(t)
	var text strings.Builder
	text.WriteString("email,email_verified,note\n")
	for i := range 12 {
		fmt.Fprintf(&text, "p%d@example.com,true,%s\n", i, strings.Repeat("\x01", 127<<10)) // six bytes each in JSON
	}
	file := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, stdout, stderr := a.backfill(file); status != command.ExitOK || len(a.rows) != 12 {
		t.Errorf("%d %q %q, %d rows", status, stdout, stderr, len(a.rows))
	}
}
