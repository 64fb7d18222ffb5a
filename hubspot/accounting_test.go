package hubspot

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/setting"
)

func tiers() fakehubspot.Property {
	p := fakehubspot.Property{Name: "tier", Type: "enumeration", FieldType: "select"}
	for _, name := range []string{"silver", "gold"} {
		p.Options = append(p.Options, fakehubspot.Option{Label: strings.ToUpper(name), Value: name})
	}
	return p
}

// rejected returns the rejected properties of the status, as "property reason count".
func (e *env) rejected(r *replica) (list []string) {
	e.t.Helper()
	s, err := r.Status(e.t.Context())
	if err != nil {
		e.t.Fatal(err)
	}
	for _, p := range s.RejectedProperties {
		list = append(list, fmt.Sprintf("%s: %s (%d)", p.Property, p.Reason, p.Count))
	}
	return list
}

func TestValueThatDoesNotFitIsAccounted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config mapping.Property
		claim  any
		reason crm.Reason
		text   string // "" = the reason's sentence
	}{
		"option":          {mapping.Property{Claim: "c"}, "wood", crm.NotAnOption, ""},
		"several for one": {mapping.Property{Claim: "c"}, []any{"gold", "silver"}, crm.NotAnOption, ""},
		"constant": {mapping.Property{Constant: "wood"}, nil, crm.NotAnOption,
			`"wood" is not an option (silver, gold)`},
		"object":           {mapping.Property{Claim: "c"}, map[string]any{"a": "wood"}, crm.NotText, ""},
		"if it were empty": {mapping.Property{Claim: "c", Write: mapping.WriteIfEmpty}, "wood", crm.NotAnOption, ""},
		"value of a login": {mapping.Property{Value: "host"}, nil, crm.NotAnOption, ""},
		"too large a claim": {mapping.Property{Claim: "c"}, []any{strings.Repeat("w", 70_000)}, crm.TooLong,
			"too long; left out"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEnv(t, map[string]mapping.Property{"firstname": {Claim: "given_name"}, "tier": c.config})
				log := &logText{}
				e.fake.Define(tiers())
				e.log = log
				r := e.startReplica()
				for i := range 3 {
					l := testLogin(fmt.Sprintf("p%d@example.com", i))
					l.Claims["c"] = c.claim
					e.enqueue(r, l)
				}
				e.waitDrained(r)
				text := c.reason.Sentence()
				if c.text != "" {
					text = c.text
				}
				if d := cmp.Diff([]string{"tier: " + text + " (3)"}, e.rejected(r)); d != "" {
					t.Error(d)
				}
				metric := r.deps.Metrics.rejected.WithLabelValues("tier", string(c.reason))
				if got := testutil.ToFloat64(metric); got != 3 {
					t.Errorf("the metric is %v", got)
				}
				if n := log.count("a value did not reach HubSpot"); n != 1 || c.config.Claim != "" && log.count("wood") > 0 {
					t.Errorf("%d times: %s", n, log.text.String())
				}
				if e.contact("p0@example.com")["firstname"] != "Ada" {
					t.Errorf("%v", e.fake.Contacts())
				}
			})
		})
	}
}

func TestNothingToWriteIsNotRejected(t *testing.T) {
	t.Parallel()
	for name, claim := range map[string]any{
		"empty": "", "missing": nil, "control characters": "\x00", "no groups": []any{},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEnv(t, map[string]mapping.Property{"firstname": {Claim: "given_name"}, "company": {Claim: "c"}})
				r := e.startReplica()
				l := testLogin("ada@example.com")
				l.Claims["c"] = claim
				e.enqueue(r, l)
				if _, err := r.Send(t.Context(), "new@example.com"); err != nil { // login values without a login
					t.Log(err)
				}
				e.waitDrained(r)
				if list := e.rejected(r); len(list) > 0 {
					t.Error(list)
				}
			})
		})
	}
}

// TestOptionsThatFitAreWritten checks that a property with several options is emptied when none of them fits any more.
func TestOptionsThatFitAreWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		many := tiers()
		many.FieldType = "checkbox"
		e := newEnv(t, map[string]mapping.Property{"tier": {Claim: "groups"}})
		e.fake.Define(many)
		r := e.startReplica()
		for _, c := range []struct {
			groups []string
			want   string
		}{
			{[]string{"gold", "silver"}, "gold;silver"}, {[]string{"wood", "gold"}, "gold"}, {[]string{"wood"}, ""},
			{[]string{"silver"}, "silver"}, {[]string{}, ""},
		} {
			l := testLogin("ada@example.com")
			l.Claims["groups"] = c.groups
			e.enqueue(r, l)
			e.waitDrained(r)
			if got := e.contact("ada@example.com")["tier"]; got != c.want {
				t.Errorf("%v: %q", c.groups, got)
			}
		}
		if d := cmp.Diff([]string{"tier: " + crm.NotAnOption.Sentence() + " (2)"}, e.rejected(r)); d != "" {
			t.Error(d)
		}
	})
}

func TestRejectedPropertyVanishes(t *testing.T) {
	t.Parallel()
	for name, correct := range map[string]func(e *env, r *replica){
		"when its mapping changes": func(e *env, r *replica) {
			e.cfg.Contacts.Properties = map[string]mapping.Property{"tier": {Claim: "other"}}
			r.Set(e.cfg)
		},
		"when it is not mapped any more": func(e *env, r *replica) {
			e.cfg.Contacts.Properties = nil
			r.Set(e.cfg)
		},
		"when HubSpot has it": func(e *env, _ *replica) {
			e.fake.Define(tiers())
			time.Sleep(3 * time.Minute)
		},
		"after a week": func(*env, *replica) { time.Sleep(7*24*time.Hour + time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEnv(t, map[string]mapping.Property{"tier": {Claim: "tier"}})
				e.log = &logText{}
				r := e.startReplica()
				l := testLogin("ada@example.com")
				l.Claims["tier"] = "gold"
				e.enqueue(r, l)
				e.waitDrained(r)
				if d := cmp.Diff([]string{"tier: " + crm.NoSuchProperty.Sentence() + " (1)"}, e.rejected(r)); d != "" {
					t.Fatal(d)
				}
				if name != "when HubSpot has it" {
					r.stop() // idle days are long
				}
				correct(e, r)
				if list := e.rejected(r); len(list) > 0 {
					t.Error(list)
				}
			})
		})
	}
}

func TestUnseenClaimIsReported(t *testing.T) {
	t.Parallel()
	for claim, property := range map[string]string{
		"famly_name": "lastname", "custom:tier": "company", "groups": "portal_groups",
	} {
		t.Run(claim, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEnv(t, map[string]mapping.Property{"firstname": {Claim: "given_name"}, property: {Claim: claim}})
				log := &logText{}
				e.log = log
				r := e.startReplica()
				login := func(change func(*outbox.Login)) []outbox.UnseenClaim {
					l := testLogin(fmt.Sprintf("p%d@example.com", time.Now().Unix()))
					change(&l)
					e.enqueue(r, l)
					e.waitDrained(r)
					s, err := r.Status(t.Context())
					if err != nil || len(s.RejectedProperties) > 0 {
						t.Errorf("%+v %v", s, err)
					}
					return s.UnseenClaims
				}
				same := func(*outbox.Login) {}
				carry := func(l *outbox.Login) { l.Claims[claim] = "" }
				for i := range 4 {
					want := []outbox.UnseenClaim{{Claim: claim, Property: property, Logins: int64(i + 1)}}
					if d := cmp.Diff(want, login(same)); d != "" {
						t.Error(d)
					}
				}
				if n := log.count("is its name misspelt?"); n != 1 {
					t.Errorf("logged %d times", n)
				}
				if list := login(carry); len(list) > 0 {
					t.Errorf("carried: %v", list)
				}
				if list := login(same); len(list) > 0 {
					t.Errorf("carried within a day: %v", list)
				}
			})
		})
	}
}

func TestUnverifiedAndSkippedPeopleAreCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, usualProperties())
		e.cfg.Contacts.Skip = mapping.Skip{Groups: []string{"staff"}, EmailDomains: []string{"corp.example"}}
		r := e.replica()
		for reason, change := range map[string]func(*outbox.Login){
			"no_email":         func(l *outbox.Login) { l.Email = "" },
			"invalid_email":    func(l *outbox.Login) { l.Email = "ada@localhost" },
			"unverified_email": func(l *outbox.Login) { l.EmailVerified = false },
			"group":            func(l *outbox.Login) { l.Groups = []string{"staff"} },
			"email_domain":     func(l *outbox.Login) { l.Email = "ada@corp.example" },
		} {
			l := testLogin("ada@example.com")
			change(&l)
			e.enqueue(r, l)
			if got := testutil.ToFloat64(r.deps.Metrics.skipped.WithLabelValues(reason)); got != 1 {
				t.Errorf("%s: %v", reason, got)
			}
		}
	})
}

// TestQueueEntryIsBounded checks that claims that are too large together are left out and accounted.
func TestQueueEntryIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, map[string]mapping.Property{"firstname": {Claim: "given_name"}, "company": {Claim: "c09"}})
		e.cfg.Contacts.MinInterval = setting.Duration(0)
		r := e.replica()
		l := testLogin("ada@example.com")
		for i := range 10 {
			l.Claims[fmt.Sprintf("c%02d", i)] = strings.Repeat("\x01", 20_000+i) // six bytes each in JSON
		}
		l.Claims["c09"] = strings.Repeat("y", 300_000)
		m := mapping.New(e.cfg.Contacts)
		limited := m.LimitSize(l)
		encoded, err := json.Marshal(outbox.Entry{Login: limited})
		if err != nil || len(encoded) > mapping.MaxEntry || limited.Claims["given_name"] != "Ada" ||
			len(limited.Claims["c09"].(string)) != mapping.MaxClaim || len(limited.Claims) < 3 {
			t.Errorf("%d bytes, %d claims, %v", len(encoded), len(limited.Claims), err)
		}
		e.enqueue(r, l)
		r = e.startReplica()
		e.waitDrained(r)
		if d := cmp.Diff([]string{"company: " + crm.TooLong.Sentence() + " (1)"}, e.rejected(r)); d != "" {
			t.Error(d)
		}
		if n := len(e.contact("ada@example.com")["company"]); n != mapping.MaxClaim {
			t.Errorf("%d characters", n)
		}
	})
}
