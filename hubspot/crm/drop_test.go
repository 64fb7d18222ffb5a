package crm

import (
	"strings"
	"testing"
)

func TestReasonHasSentence(t *testing.T) {
	t.Parallel()
	seen := map[string]Reason{}
	for _, r := range Reasons() {
		text := Drop{Reason: r}.Text()
		if text == "" || seen[text] != "" || strings.Contains(text, string(r)) && strings.Contains(string(r), "_") {
			t.Errorf("%s: %q, as %q", r, text, seen[text])
		}
		seen[text] = r
	}
}

func TestOnlyHubSpotCreatesItsProperties(t *testing.T) {
	t.Parallel()
	for name, created := range map[string]bool{
		"hs_persona2": false, "hs_x": false, "hs_": false, "tier": true, "hst": true,
	} {
		text := Drop{Property: name, Reason: NoSuchProperty}.Text()
		if strings.Contains(text, "contacts setup") != created || !created && !strings.Contains(text, "correct the name") {
			t.Errorf("%s: %q", name, text)
		}
	}
}

func TestRejectionKeepsCodesOnly(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"PROPERTY_DOESNT_EXIST": NoSuchProperty.Sentence(), "READ_ONLY_VALUE": ReadOnly.Sentence(),
		"INVALID_OPTION":      "HubSpot rejects the value: INVALID_OPTION",
		"Ada was not valid":   "HubSpot rejects the value",
		"ada":                 "HubSpot rejects the value",
		"":                    "HubSpot rejects the value",
		"X\nFAKE_LOG_LINE":    "HubSpot rejects the value",
		"READ_ONLY_PROPERTY":  ReadOnly.Sentence(),
		"AAA\x00BBB":          "HubSpot rejects the value",
		"INVALID_PHONE_EXT_2": "HubSpot rejects the value: INVALID_PHONE_EXT_2",
	} {
		if d := rejection("tier", code); d.Text() != want || d.Property != "tier" {
			t.Errorf("%q: %+v, want %q", code, d, want)
		}
	}
}
