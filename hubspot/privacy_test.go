package hubspot

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/hubspot/outbox"
)

// personal are the values of a person that must appear nowhere but in HubSpot and in what operators ask for.
func personal() map[string]string {
	return map[string]string{
		"address": "karla.kolumna@secret.example", "local part": "kolumna", "first name": `Karla "KK" O'Brien & Söhne`,
		"company": "Neue Zeitung " + strings.Repeat("Verlagsgesellschaft ", 20), "group": "quarterly-board",
		"subject": "sub-31415926", "birthday": "1964-05-23", "search": "q=divorce-lawyer",
		"visitor": strings.Repeat("ab12", 8),
		"client":  "203.0.113.99", "member": "4711081500",
	}
}

// personalLogin is a login with all of them.
func personalLogin() outbox.Login {
	p := personal()
	l := visitor(p["address"], p["visitor"])
	l.Subject, l.Name, l.Address, l.Groups = p["subject"], p["first name"], p["client"], []string{p["group"], "members"}
	l.FirstPage = "/members/?" + p["search"]
	l.Claims = map[string]any{
		"given_name": p["first name"], "company": p["company"], "birthdate": p["birthday"], "sub": p["subject"],
		"custom:member_no": json.Number(p["member"]), "cognito:groups": []any{p["group"], "members"},
	}
	return l
}

// newPersonalEnv returns an env whose mapping writes all of them.
func newPersonalEnv(t *testing.T, options ...option) (e *env, log *logText) {
	t.Helper()
	e, log = newLinkEnv(t, options...), &logText{}
	e.log = log
	e.cfg.Contacts.Properties = map[string]mapping.Property{
		"firstname": {Claim: "given_name"}, "company": {Claim: "company", Write: mapping.WriteIfEmpty},
		"birthday": {Claim: "birthdate"}, "portal_groups": {Claim: "cognito:groups"}, "cognito_sub": {Claim: "sub"},
		"member_no": {Claim: "custom:member_no"}, "tier": {Claim: "given_name"}, "portal_logins": {Value: "login_count"},
	}
	e.fake.Define(fakehubspot.Property{Name: "birthday", Type: "date", FieldType: "date"})
	e.fake.Define(fakehubspot.Property{Name: "member_no", Type: "number", FieldType: "number"})
	e.fake.Define(fakehubspot.Property{Name: "tier", Type: "enumeration", FieldType: "select",
		Options: []fakehubspot.Option{{Label: "Gold", Value: "gold"}}})
	return e, log
}

// echoes are the forms in which a response may repeat what was sent.
func echoes() map[string]func(string) string {
	return map[string]func(string) string{
		"as it is":      func(s string) string { return s },
		"in quotes":     func(s string) string { return `"` + s + `" was not valid` },
		"in upper case": strings.ToUpper,
		"as JSON":       func(s string) string { raw, _ := json.Marshal(s); return string(raw) },
		"as HTML":       html.EscapeString,
		"as URL":        url.QueryEscape,
		"cut off":       func(s string) string { return s[:min(len(s), 60)] + "..." },
		"cut off early": func(s string) string { return s[:min(len(s), 12)] + "..." },
		"in ASCII":      func(s string) string { return strings.Trim(strconv.QuoteToASCII(s), `"`) },
		"joined":        func(s string) string { return "x" + strings.ReplaceAll(s, " ", "") + "x" },
	}
}

// texts returns all strings of a JSON value, and the options in a list of them.
func texts(value any) (all []string) {
	switch v := value.(type) {
	case string:
		all = strings.Split(v, ";")
		if len(all) > 1 {
			all = append(all, v)
		}
	case []any:
		for _, element := range v {
			all = append(all, texts(element)...)
		}
	case map[string]any:
		for _, element := range v {
			all = append(all, texts(element)...)
		}
	}
	return all
}

// echo responds to writes with an error that repeats every value of the call.
func echo(status int, form func(string) string) option {
	return func(c *fakehubspot.Config) {
		c.Wrap = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var body any
				_ = json.Unmarshal([]byte(bodyOf(r)), &body)
				said := []string{}
				for _, value := range texts(body) {
					said = append(said, form(value))
				}
				if !strings.Contains(bodyOf(r), "kolumna") {
					next.ServeHTTP(w, r)
					return
				}
				w.WriteHeader(status)
				problem, _ := json.Marshal(map[string]any{
					"status": "error", "category": "VALIDATION_ERROR", "message": strings.Join(said, " | "),
					"errors": []map[string]string{{"message": strings.Join(said, ", "), "code": said[0]}},
				})
				_, _ = w.Write(problem)
			})
		}
	}
}

// all returns what was logged.
func (l *logText) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// checkPrivate reports where a personal value can be read: logs, metrics, Redis, and the texts of the status.
func (e *env) checkPrivate(r *replica, log *logText) {
	e.t.Helper()
	families, err := r.registry.Gather()
	if err != nil {
		e.t.Fatal(err)
	}
	var metrics strings.Builder
	for _, family := range families {
		metrics.WriteString(family.String())
	}
	status, err := r.Status(e.t.Context())
	if err != nil {
		e.t.Fatal(err)
	}
	shown, _ := json.Marshal(status)
	_, health, _ := r.Health()
	places := map[string]string{
		"log": log.all(), "metrics": metrics.String(), "Redis": e.mini.Dump(), "status": string(shown), "health": health,
	}
	dead, _ := r.Dead(e.t.Context(), "", 10)
	for _, d := range dead.Dead {
		places["reason of a dead letter"] += d.Reason
	}
	waiting, _ := r.Waiting(e.t.Context(), "", 10)
	for _, q := range waiting.Entries {
		places["error of a queue entry"] += q.LastError
	}
	for place, text := range places {
		for what, value := range personal() {
			for form, change := range echoes() {
				// The beginning of a value is enough to recognize it.
				if change(value) != "" && strings.Contains(text, change(value[:min(len(value), 30)])) && form != "in quotes" {
					e.t.Errorf("the %s is in the %s, %s", what, place, form)
				}
			}
			for _, word := range strings.FieldsFunc(value, func(r rune) bool { return !unicode.IsLetter(r) }) {
				if len(word) >= 5 && word != "members" && word != "example" && strings.Contains(strings.ToLower(text),
					strings.ToLower(word)) {
					e.t.Errorf("a word of the %s is in the %s: %s", what, place, word)
				}
			}
		}
	}
}

func TestNothingPersonalIsShown(t *testing.T) {
	t.Parallel()
	for name, form := range echoes() {
		for _, status := range []int{400, 403, 404, 409, 422, 500} {
			t.Run(fmt.Sprint(name, " with ", status), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					e, log := newPersonalEnv(t, echo(status, form))
					r := e.startReplica()
					e.enqueue(r, personalLogin())
					others := 0 // who arrive meanwhile, so that this one is to blame
					for len(e.deadEmails(r)) == 0 && others < 20 {
						e.enqueue(r, testLogin(fmt.Sprintf("p%d@example.com", others)))
						others++
						time.Sleep(time.Minute)
						e.checkPrivate(r, log)
					}
					if dead := e.deadEmails(r); len(dead) != 1 || len(e.written()) != others {
						t.Errorf("dead letters: %q; %d contacts", dead, len(e.written()))
					}
				})
			})
		}
	}
}

// TestNothingPersonalOfAWrittenContactIsShown has contacts that arrive, partly after a refusal that repeats values.
func TestNothingPersonalOfAWrittenContactIsShown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, log := newPersonalEnv(t)
		for _, rule := range []string{"firstname", "company"} {
			e.fake.Define(fakehubspot.Property{Name: rule, Type: "string", FieldType: "text", Refuses: "e"})
		}
		r := e.startReplica()
		e.enqueue(r, personalLogin())
		e.waitDrained(r)
		e.checkPrivate(r, log)
		if len(e.fake.Contacts()) != 1 || len(e.fake.Submissions()) != 1 {
			t.Errorf("%+v %+v", e.fake.Contacts(), e.fake.Submissions())
		}
	})
}
