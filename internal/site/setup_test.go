package site

import (
	"strings"
	"testing"

	"github.com/hubgate/hubgate/hubspot/fakehubspot"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/internal/config"
)

func TestSetupCreatesMissingProperties(t *testing.T) {
	t.Parallel()
	cfg, _, err := config.LoadRules(portal(t, fakehubspot.Config{}, ""), noEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	cfg.HubSpot.Contacts.Properties = map[string]mapping.Property{
		"firstname": {Claim: "given_name"}, "portal_sub": {Claim: "sub"},
	}
	s, err := CheckSetup(t.Context(), cfg, nil)
	if err != nil || s.Complete() || len(s.Missing) != 1 {
		t.Fatalf("%+v %v", s, err)
	}
	var created []string
	if err := s.Create(t.Context(), func(name string) { created = append(created, name) }); err != nil || !s.Complete() {
		t.Errorf("%+v %v", s, err)
	}
	if strings.Join(created, " ") != "portal_sub" {
		t.Errorf("created: %q", created)
	}
	if again, err := CheckSetup(t.Context(), cfg, nil); err != nil || !again.Complete() {
		t.Errorf("the second time: %+v %v", again, err)
	}
}

func TestSetupOfAnotherAccountIsRefused(t *testing.T) {
	t.Parallel()
	cfg, _, err := config.LoadRules(portal(t, fakehubspot.Config{HubID: 4711}, ""), noEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	cfg.HubSpot.HubID = 99
	if _, err := CheckSetup(t.Context(), cfg, nil); err == nil || !strings.Contains(err.Error(), "account mismatch") {
		t.Error(err)
	}
}

func TestRefusedScopesHaveACure(t *testing.T) {
	t.Parallel()
	const read, write = "crm.schemas.contacts.read", "crm.schemas.contacts.write"
	const cure = " to the key (HubSpot: Development, Keys, Service keys)"
	load := func(scopes ...string) *config.Config {
		cfg, _, err := config.LoadRules(portal(t, fakehubspot.Config{Scopes: scopes}, ""), noEnvironment)
		if err != nil {
			t.Fatal(err)
		}
		cfg.HubSpot.Contacts.Properties = map[string]mapping.Property{"portal_sub": {Claim: "sub"}}
		return cfg
	}
	_, err := CheckSetup(t.Context(), load("oauth"), nil)
	if err == nil || !strings.HasSuffix(err.Error(), "add the scope "+read+cure) {
		t.Errorf("setup: %v", err)
	}
	_, err = PreviewImport(t.Context(), load("oauth"))
	if err == nil || !strings.HasSuffix(err.Error(), "add the scope "+read+cure) {
		t.Errorf("dry run: %v", err)
	}
	s, err := CheckSetup(t.Context(), load("oauth", read), nil)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Create(t.Context(), func(string) {})
	if err == nil || !strings.HasSuffix(err.Error(), "add the scope "+write+cure) {
		t.Errorf("create: %v", err)
	}
}
