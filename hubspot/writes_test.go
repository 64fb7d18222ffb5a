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
)

// wire keeps the bodies of what was sent to HubSpot.
type wire struct {
	mu     sync.Mutex
	bodies []string
}

func (w *wire) tap(c *fakehubspot.Config) {
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

func (w *wire) calls(part string) (found []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, b := range w.bodies {
		if strings.Contains(b, part) {
			found = append(found, b)
		}
	}
	return found
}

func TestWhatAPersonEnteredIsNotOverwritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		properties := usual()
		properties["firstname"] = PropertyConfig{Claim: "given_name", Write: writeIfEmpty}
		w := newWorld(t, properties)
		w.fake.Add(map[string]string{"email": "ada@example.com", "firstname": "Augusta"})
		w.fake.Add(map[string]string{"email": "main@example.com", "firstname": "Bo", additionalEmails: "further@example.com;else@example.com"})
		w.fake.Add(map[string]string{"email": "empty@example.com"})
		r := w.running()
		for _, email := range []string{"ada@example.com", "Further@example.com", "empty@example.com", "new@example.com"} {
			w.login(r, person1(email))
		}
		w.drained(r)
		for email, want := range map[string]string{"ada@example.com": "Augusta", "main@example.com": "Bo", "empty@example.com": "Ada", "new@example.com": "Ada"} {
			if got := w.contact(email)["firstname"]; got != want {
				t.Errorf("%s: %q", email, got)
			}
		}
	})
}

func TestAChangedAddressKeepsItsContactWhenAUniquePropertyNamesIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		properties := usual()
		properties["cognito_sub"] = PropertyConfig{Claim: "sub"}
		w := newWorld(t, properties)
		r := w.running()
		w.fake.Add(map[string]string{"email": "import@example.com", "cognito_sub": "sub-c"})
		for _, email := range []string{"old@example.com", "new@example.com"} {
			l := person1(email)
			l.Subject = "sub-a"
			w.login(r, l)
			w.drained(r)
		}
		unknown := person1("other@example.com") // not known to the outbox yet, but to HubSpot
		unknown.Subject = "sub-c"
		w.login(r, unknown)
		w.drained(r)
		if w.contact("old@example.com") != nil || w.contact("new@example.com")["cognito_sub"] != "sub-a" {
			t.Errorf("%+v", w.fake.Contacts())
		}
		if w.contact("import@example.com") != nil || w.contact("other@example.com")["cognito_sub"] != "sub-c" {
			t.Errorf("%+v", w.fake.Contacts())
		}
	})
}

func TestAnAddressThatIsTakenGetsThePersonAndTheUniquePropertyIsLeftOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		properties := usual()
		properties["cognito_sub"] = PropertyConfig{Claim: "sub"}
		w := newWorld(t, properties)
		w.fake.Add(map[string]string{"email": "taken@example.com"})
		w.fake.Add(map[string]string{"email": "old@example.com", "cognito_sub": "sub-a"})
		r := w.running()
		l := person1("taken@example.com")
		l.Subject = "sub-a"
		w.login(r, l)
		w.drained(r)
		if c := w.contact("taken@example.com"); c["firstname"] != "Ada" || c["cognito_sub"] != "" {
			t.Errorf("%v", c)
		}
		if s, _ := r.Status(t.Context()); s.Dead != 0 || len(s.RejectedProperties) != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestABatchIsWhatHubSpotDescribes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var sent wire
		properties := usual()
		properties["member_since"] = PropertyConfig{Claim: "since"}
		w := newWorld(t, properties, sent.tap)
		w.fake.Define(fakehubspot.Property{Name: "member_since", Type: "date", FieldType: "date"})
		r := w.running()
		l := person1("Ada@Example.com")
		l.Claims["since"] = json.Number("1700000000")
		w.login(r, l)
		twin := person1("ada@example.COM") // another subject with the same address
		twin.Subject = "twin"
		w.login(r, twin)
		w.drained(r)
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
			if string(body.Inputs[0]["id"]) != `"ada@example.com"` || string(body.Inputs[0]["idProperty"]) != `"email"` || len(body.Inputs[0]) != 4 {
				t.Error(text)
			}
		}
		if !slices.ContainsFunc(w.fake.Contacts(), func(c fakehubspot.Contact) bool { return c.Properties["member_since"] == "2023-11-14" }) {
			t.Errorf("%+v", w.fake.Contacts())
		}
	})
}
