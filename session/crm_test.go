package session

import (
	"context"
	"strings"
	"testing"
	"time"
)

// tierCRM is what HubSpot said about a person, with values that stand out in a record.
func tierCRM(now time.Time) *CRM {
	return &CRM{
		Contact: true, Lists: map[string]bool{"987654": true}, Properties: map[string][]string{"member_tier": {"platinum"}},
		ReadAt: now, UsableUntil: now.Add(time.Hour),
	}
}

func TestCRMIsNotStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.replica(nil)
	s := w.shortLived()
	s.CRM = tierCRM(w.clock.Now())
	cookie, started := w.login(m, s)
	for name, m := range map[string]*Manager{"the same replica": m, "another replica": w.replica(nil)} {
		if loaded, err := w.load(m, cookie); err != nil || loaded.CRM != nil {
			t.Errorf("%s: %+v %v", name, loaded, err)
		}
	}
	plain, err := encodeSession(started)
	encoded := string(plain)
	if err != nil || !strings.Contains(encoded, "ada@example.com") {
		t.Fatalf("not the session's record: %v", err)
	}
	for _, part := range []string{"987654", "member_tier", "platinum"} {
		if strings.Contains(encoded, part) {
			t.Errorf("the record has %s", part)
		}
	}
}

func TestRefreshNeitherSetsNorLosesCRM(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	claimed := func(context.Context, string) (Tokens, User, error) {
		u := ada().User
		u.Claims = map[string]any{"hubspot.member_tier": "gold", "hubspot": map[string]any{"lists": []any{"987654"}}}
		return Tokens{Access: "new", AccessExpiry: w.clock.Now().Add(time.Hour)}, u, nil
	}
	m, other := w.replica(claimed), w.replica(claimed)
	cookie, _ := w.login(m, w.shortLived())
	before, err := w.load(m, cookie)
	if err != nil {
		t.Fatal(err)
	}
	inUse := *before // as the gate has it while it answers a request
	inUse.CRM = tierCRM(w.clock.Now())
	w.clock.pass(59*time.Minute + 30*time.Second)
	for name, m := range map[string]*Manager{"the replica that refreshes": m, "another replica": other} {
		s, err := w.load(m, cookie)
		if err != nil || s.Tokens.Access != "new" {
			t.Fatalf("%s: not refreshed: %v", name, err)
		}
		if s.CRM != nil {
			t.Errorf("%s: %+v", name, s.CRM)
		}
		if s.Issuer != before.Issuer || s.Subject != before.Subject || s.Email != before.Email || !s.EmailVerified {
			t.Errorf("%s: another person: %+v", name, s.User)
		}
	}
	if crm := inUse.CRM; !crm.Contact || !crm.Lists["987654"] || crm.Properties["member_tier"][0] != "platinum" ||
		!crm.UsableUntil.Equal(crm.ReadAt.Add(time.Hour)) {
		t.Errorf("what the request in flight knows has changed: %+v", crm)
	}
}

func TestIsCRMClaimFoldsCase(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"hubspot": true, "HUBSPOT": true, "hubspot.": true, "HubSpot.Tier": true, "hubspot.a.b": true, "hub\u017fpot.x": true,
		"": false, "hubspot_id": false, "hubspotter": false, "my.hubspot": false, "custom:hubspot.tier": false, "hub": false,
	} {
		if IsCRMClaim(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}
