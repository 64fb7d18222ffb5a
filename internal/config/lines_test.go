package config_test

import (
	"testing"

	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/configtest"
)

func TestReportAddsLinesToTheKeysOfThePlaceOfACure(t *testing.T) {
	t.Parallel()
	_, rep := config.Load("testdata/config/crm-good.yaml", configtest.FixtureEnvironment)
	for where, want := range map[string]string{
		"hubspot.access.lists.customers":               "hubspot.access.lists.customers, line 23",
		"HubSpot: Settings, Properties; proxy.origin":  "HubSpot: Settings, Properties; proxy.origin, line 6",
		"hubspot.access.allow_form_fields":             "hubspot.access.allow_form_fields, line 26",
		"network, hubspot.api_url":                     "network, hubspot.api_url",
		"DNS of www.example.com":                       "DNS of www.example.com",
		"hubspot.access_token, hubspot.access.refresh": "hubspot.access_token, line 20, hubspot.access.refresh, line 24",
	} {
		if got := rep.WithLines(where); got != want {
			t.Errorf("%s: %s, want %s", where, got, want)
		}
	}
}
