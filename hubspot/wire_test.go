package hubspot

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
)

// described are the calls of HubSpot's API description that hubgate makes, and the required members of their bodies
// with their kinds: s string, a list, o object of strings.
var described = []struct {
	method string
	path   *regexp.Regexp
	body   map[string]byte
	input  map[string]byte // of each element of inputs
}{
	{"POST", regexp.MustCompile(`^/crm/objects/2026-09/contacts/batch/upsert$`), map[string]byte{"inputs": 'a'},
		map[string]byte{"id": 's', "idProperty": 's', "objectWriteTraceId": 's', "properties": 'o'}},
	{"POST", regexp.MustCompile(`^/crm/objects/2026-09/contacts/batch/read$`),
		map[string]byte{"inputs": 'a', "idProperty": 's', "properties": 'a',
			"propertiesWithHistory": 'a'}, map[string]byte{"id": 's'}},
	{"PATCH", regexp.MustCompile(`^/crm/objects/2026-09/contacts/[0-9]+$`), map[string]byte{"properties": 'o'}, nil},
	{"GET", regexp.MustCompile(`^/crm/properties/2026-09/contacts$`), nil, nil},
	{"POST", regexp.MustCompile(`^/submissions/v3/integration/secure/submit/4711/` + formID + `$`),
		map[string]byte{"fields": 'a', "context": 'o'}, nil},
}

// ignoreZero ignores members that a call does not have.
var ignoreZero = cmpopts.IgnoreMapEntries(func(_ string, kind byte) bool { return kind == 0 })

func kind(raw json.RawMessage) byte {
	var text string
	var list []json.RawMessage
	var object map[string]string
	switch {
	case json.Unmarshal(raw, &text) == nil && string(raw) != "null":
		return 's'
	case json.Unmarshal(raw, &list) == nil && list != nil:
		return 'a'
	case json.Unmarshal(raw, &object) == nil && object != nil:
		return 'o'
	}
	return '?'
}

func kinds(t *testing.T, raw []byte) map[string]byte {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		t.Errorf("%v: %s", err, raw)
	}
	found := map[string]byte{}
	for name, value := range members {
		found[name] = kind(value)
	}
	return found
}

// checkCall compares a call with HubSpot's API description.
func checkCall(t *testing.T, r *http.Request, body []byte) {
	t.Helper()
	i := slices.IndexFunc(described, func(d struct {
		method string
		path   *regexp.Regexp
		body   map[string]byte
		input  map[string]byte
	}) bool {
		return d.method == r.Method && d.path.MatchString(r.URL.Path)
	})
	if i < 0 || r.URL.RawQuery != "" {
		t.Errorf("HubSpot has no %s %s", r.Method, r.URL)
		return
	}
	want := http.Header{"Accept": {"application/json"}, "Authorization": {"Bearer pat-na1-test"},
		"User-Agent": {"hubgate"}}
	if described[i].body != nil {
		want.Set("Content-Type", "application/json")
		found := kinds(t, body)
		if _, by := found["idProperty"]; !by && r.Method == http.MethodPost {
			found["idProperty"] = described[i].body["idProperty"] // optional: without it, ids are HubSpot's
		}
		if d := cmp.Diff(described[i].body, found, ignoreZero); d != "" {
			t.Errorf("%s: %s", r.URL.Path, d)
		}
	}
	if d := cmp.Diff(want, r.Header); d != "" {
		t.Errorf("%s: %s", r.URL.Path, d)
	}
	if described[i].input != nil {
		checkInputs(t, described[i].input, body)
	}
}

func checkInputs(t *testing.T, want map[string]byte, body []byte) {
	t.Helper()
	var batch struct{ Inputs []json.RawMessage }
	_ = json.Unmarshal(body, &batch)
	if len(batch.Inputs) < 1 || len(batch.Inputs) > 100 {
		t.Errorf("a batch of %d", len(batch.Inputs))
	}
	ids, traces := map[string]bool{}, map[string]bool{}
	for _, raw := range batch.Inputs {
		if d := cmp.Diff(want, kinds(t, raw)); d != "" {
			t.Error(d)
		}
		var in struct{ ID, IDProperty, ObjectWriteTraceID string }
		_ = json.Unmarshal(raw, &in)
		if id := strings.ToLower(in.ID); ids[id] || id == "" || in.ID != id && in.IDProperty == "email" {
			t.Errorf("%s is in the batch twice, or not in lower case", in.ID)
		}
		trace := in.ObjectWriteTraceID
		if want["objectWriteTraceId"] != 0 && (traces[trace] || trace == "" || in.IDProperty != "email") {
			t.Errorf("%+v", in)
		}
		ids[strings.ToLower(in.ID)], traces[trace] = true, true
	}
}

func TestCallsMatchAPIDescription(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		paths := map[string]int{}
		e := newEveryPathEnv(t, func(c *fakehubspot.Config) {
			c.Conflicts = true
			c.Wrap = func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					r.Body = io.NopCloser(bytes.NewReader(body))
					checkCall(t, r, body)
					mu.Lock()
					paths[r.Method+" "+strings.Split(r.URL.Path, "/contacts")[0]]++
					mu.Unlock()
					next.ServeHTTP(rw, r)
				})
			}
		})
		front := e.replica()
		e.fake.Merge(e.fake.Add(map[string]string{"email": "main@example.com"}),
			e.fake.Add(map[string]string{"email": "further@example.com"}))
		time.Sleep(time.Hour)
		for _, email := range []string{
			"Twin@example.com", "tWIN@EXAMPLE.com", "further@example.com", "o'brien+x@example.com",
		} {
			l := testLogin(email)
			l.Subject = "of " + email
			e.enqueue(front, l)
		}
		for i := range 250 {
			e.enqueue(front, testLogin(strings.Repeat("x", i%60+1)+"@example.com"))
			e.enqueue(front, testLogin(strings.Repeat("y", i%60+1)+"@example.com"))
		}
		e.waitDrained(e.startReplica())
		for _, call := range []string{
			"POST /crm/objects/2026-09", "PATCH /crm/objects/2026-09", "GET /crm/properties/2026-09",
		} {
			if paths[call] == 0 {
				t.Errorf("%s was never made: %v", call, paths)
			}
		}
		if s, err := front.Status(t.Context()); err != nil || s.Dead != 0 ||
			e.contact("twin@example.com")["firstname"] != "Ada" || e.contact("o'brien+x@example.com") == nil {
			t.Errorf("%+v %v", s, err)
		}
	})
}

func TestQueueStatusIsSharedByReplicas(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		e.startReplica()
		idle := e.startReplica()
		e.enqueue(idle, testLogin("ada@example.com"))
		e.waitDrained(idle)
		e.fake.Next(fakehubspot.Fault{Path: upsertPath, Status: 429, Header: map[string]string{"Retry-After": "60"}})
		e.enqueue(idle, testLogin("bob@example.com"))
		e.enqueue(idle, testLogin("eve@example.com"))
		time.Sleep(20 * time.Second)
		late := e.startReplica()
		time.Sleep(5 * time.Second)
		for name, r := range map[string]*replica{"idle": idle, "new": late} {
			m := r.deps.Metrics
			got := []float64{testutil.ToFloat64(m.queueLength), testutil.ToFloat64(m.deadLetters),
				testutil.ToFloat64(m.rateRemaining)}
			age := testutil.ToFloat64(m.queueOldest)
			if d := cmp.Diff([]float64{2, 0, 187}, got); d != "" || age < 20 || age > 26 {
				t.Errorf("%s: %v seconds, %s", name, age, d)
			}
		}
	})
}
