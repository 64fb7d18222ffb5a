package hubspot

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/mapping"
)

// recorder keeps the bodies of calls to HubSpot.
type recorder struct {
	mu     sync.Mutex
	bodies []string
}

func (w *recorder) tap(c *fakehubspot.Config) {
	c.Wrap = func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			w.mu.Lock()
			w.bodies = append(w.bodies, r.Method+" "+r.URL.Path+" "+string(body))
			w.mu.Unlock()
			next.ServeHTTP(rw, r)
		})
	}
}

func (w *recorder) calls(part string) (found []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, b := range w.bodies {
		if strings.Contains(b, part) {
			found = append(found, b)
		}
	}
	return found
}

func TestIfEmptyKeepsEnteredValues(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		properties := usualProperties()
		properties["firstname"] = mapping.Property{Claim: "given_name", Write: mapping.WriteIfEmpty}
		e := newEnv(t, properties)
		e.fake.Add(map[string]string{"email": "ada@example.com", "firstname": "Augusta"})
		e.fake.Add(map[string]string{"email": "main@example.com", "firstname": "Bo",
			"hs_additional_emails": "further@example.com;else@example.com"})
		e.fake.Add(map[string]string{"email": "empty@example.com"})
		r := e.startReplica()
		for _, email := range []string{
			"ada@example.com", "Further@example.com", "empty@example.com", "new@example.com",
		} {
			e.enqueue(r, testLogin(email))
		}
		e.waitDrained(r)
		for email, want := range map[string]string{
			"ada@example.com": "Augusta", "main@example.com": "Bo", "empty@example.com": "Ada", "new@example.com": "Ada",
		} {
			if got := e.contact(email)["firstname"]; got != want {
				t.Errorf("%s: %q", email, got)
			}
		}
	})
}

func TestEmailChangeFindsContactByUniqueProperty(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		properties := usualProperties()
		properties["cognito_sub"] = mapping.Property{Claim: "sub"}
		e := newEnv(t, properties)
		r := e.startReplica()
		e.fake.Add(map[string]string{"email": "import@example.com", "cognito_sub": "sub-c"})
		for _, email := range []string{"old@example.com", "new@example.com"} {
			l := testLogin(email)
			l.Subject = "sub-a"
			e.enqueue(r, l)
			e.waitDrained(r)
		}
		unknown := testLogin("other@example.com") // known to HubSpot, but without a record in Redis
		unknown.Subject = "sub-c"
		e.enqueue(r, unknown)
		e.waitDrained(r)
		if e.contact("old@example.com") != nil || e.contact("new@example.com")["cognito_sub"] != "sub-a" {
			t.Errorf("%+v", e.fake.Contacts())
		}
		if e.contact("import@example.com") != nil || e.contact("other@example.com")["cognito_sub"] != "sub-c" {
			t.Errorf("%+v", e.fake.Contacts())
		}
	})
}

func TestUniqueValueConflictIsLeftOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		properties := usualProperties()
		properties["cognito_sub"] = mapping.Property{Claim: "sub"}
		e := newEnv(t, properties)
		e.fake.Add(map[string]string{"email": "taken@example.com"})
		e.fake.Add(map[string]string{"email": "old@example.com", "cognito_sub": "sub-a"})
		r := e.startReplica()
		l := testLogin("taken@example.com")
		l.Subject = "sub-a"
		e.enqueue(r, l)
		e.waitDrained(r)
		if c := e.contact("taken@example.com"); c["firstname"] != "Ada" || c["cognito_sub"] != "" {
			t.Errorf("%v", c)
		}
		if s, _ := r.Status(t.Context()); s.Dead != 0 || len(s.RejectedProperties) != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestBatchMatchesAPI(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var sent recorder
		properties := usualProperties()
		properties["member_since"] = mapping.Property{Claim: "since"}
		e := newEnv(t, properties, sent.tap)
		e.fake.Define(fakehubspot.Property{Name: "member_since", Type: "date", FieldType: "date"})
		r := e.startReplica()
		l := testLogin("Ada@Example.com")
		l.Claims["since"] = json.Number("1700000000")
		e.enqueue(r, l)
		twin := testLogin("ada@example.COM") // another subject with the same address
		twin.Subject = "twin"
		e.enqueue(r, twin)
		e.waitDrained(r)
		for _, call := range sent.calls("/batch/upsert") {
			var body struct {
				Inputs []map[string]json.RawMessage `json:"inputs"`
			}
			_, text, _ := strings.Cut(call, "upsert ")
			if err := json.Unmarshal([]byte(text), &body); err != nil || len(body.Inputs) != 1 {
				t.Fatalf("%v %s", err, text)
			}
			var properties map[string]string
			if err := json.Unmarshal(body.Inputs[0]["properties"], &properties); err != nil {
				t.Error(err)
			}
			if string(body.Inputs[0]["id"]) != `"ada@example.com"` ||
				string(body.Inputs[0]["idProperty"]) != `"email"` || len(body.Inputs[0]) != 4 {
				t.Error(text)
			}
		}
		if !slices.ContainsFunc(e.fake.Contacts(),
			func(c fakehubspot.Contact) bool { return c.Properties["member_since"] == "2023-11-14" }) {
			t.Errorf("%+v", e.fake.Contacts())
		}
	})
}
