package main

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
)

func quietLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

// judgeProperties holds the mapping to the properties that HubSpot has.
func judgeProperties(cfg *Config, res *http.Response) []diagnosis {
	var schema struct {
		Results []struct {
			Name     string `json:"name"`
			Metadata struct {
				ReadOnlyValue bool `json:"readOnlyValue"`
			} `json:"modificationMetadata"`
		} `json:"results"`
	}
	if err := json.NewDecoder(res.Body).Decode(&schema); err != nil {
		return []diagnosis{{Part: "hubspot", Status: "failed", Detail: "the list of properties is not what it should be: " + err.Error()}}
	}
	var missing, readOnly []string
	for _, name := range sortedNames(cfg.HubSpot.Contacts.Properties) {
		i := slices.IndexFunc(schema.Results, func(p struct {
			Name     string `json:"name"`
			Metadata struct {
				ReadOnlyValue bool `json:"readOnlyValue"`
			} `json:"modificationMetadata"`
		}) bool {
			return p.Name == name
		})
		switch {
		case i < 0:
			missing = append(missing, name)
		case schema.Results[i].Metadata.ReadOnlyValue:
			readOnly = append(readOnly, name)
		}
	}
	all := []diagnosis{{Part: "hubspot", Status: "ok", Detail: "the access token works"}}
	if len(missing) > 0 {
		all = append(all, diagnosis{Part: "hubspot properties", Status: "failed", Detail: "HubSpot has no " + strings.Join(missing, ", "), Cure: "create them in HubSpot (Settings, Properties), or remove them from hubspot.contacts.properties"})
	}
	if len(readOnly) > 0 {
		all = append(all, diagnosis{Part: "hubspot properties", Status: "failed", Detail: "read-only: " + strings.Join(readOnly, ", "), Cure: "remove them from hubspot.contacts.properties"})
	}
	return all
}
