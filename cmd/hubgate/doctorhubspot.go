package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/hubgate/hubgate/hubspot"
	"github.com/hubgate/hubgate/internal/dependency"
)

func quietLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

// askHubSpot tries the access token, and holds the mapping to the properties that HubSpot has.
func askHubSpot(ctx context.Context, cfg *Config) []diagnosis {
	if cfg.HubSpot.AccessToken == "" {
		return []diagnosis{{Part: "hubspot", Status: "warning", Detail: "contact sync is off: hubspot.access_token is empty"}}
	}
	account, err := hubspot.NewAccount(cfg.HubSpot, doctorClient(dependency.HubSpotAPI))
	if err != nil {
		return []diagnosis{{Part: "hubspot", Status: "failed", Detail: err.Error()}}
	}
	fit, err := account.Fit(ctx)
	if err != nil {
		return []diagnosis{hubspotRefusal(cfg, err)}
	}
	all := []diagnosis{{Part: "hubspot", Status: "ok", Detail: "the access token works"}}
	if err := account.Readable(ctx); err != nil {
		all = append(all, hubspotRefusal(cfg, err))
	}
	if portal, err := account.Portal(ctx); err == nil && cfg.HubSpot.HubID != 0 && portal != cfg.HubSpot.HubID {
		all = append(all, diagnosis{
			Part: "hubspot account", Status: "failed", Detail: fmt.Sprintf("the access token is of account %d", portal), Cure: "mend hubspot.hub_id or hubspot.access_token",
		})
	}
	return append(all, judgeFitness(fit)...)
}

func hubspotRefusal(cfg *Config, err error) diagnosis {
	d := diagnosis{Part: "hubspot", Status: "failed"}
	switch status, scopes := hubspot.Refused(err); {
	case status == http.StatusUnauthorized:
		d.Detail, d.Cure = "HubSpot does not accept the access token", "make a service key in HubSpot and put it into hubspot.access_token"
	case status == http.StatusForbidden && len(scopes) > 0:
		d.Detail, d.Cure = "the access token lacks "+strings.Join(scopes, ", "), "add the scope to the key in HubSpot"
	case status == http.StatusForbidden:
		d.Detail, d.Cure = "the access token lacks a scope", "give the key crm.objects.contacts.read, crm.objects.contacts.write and crm.schemas.contacts.read"
	case status == 0:
		d.Detail, d.Cure = err.Error(), "let this machine reach "+cfg.HubSpot.APIURL
	default:
		d.Detail, d.Cure = err.Error(), "look at HubSpot's status page, and at hubspot.api_version"
	}
	return d
}

func judgeFitness(fit hubspot.Fitness) (all []diagnosis) {
	names := make([]string, len(fit.Missing))
	for i, p := range fit.Missing {
		names[i] = p.Name
	}
	if len(names) > 0 {
		all = append(all, diagnosis{
			Part: "hubspot properties", Status: "failed", Detail: "HubSpot has no " + strings.Join(names, ", "),
			Cure: "run hubgate contacts setup, or remove them from hubspot.contacts.properties",
		})
	}
	for _, name := range sortedNames(fit.Unsuitable) {
		all = append(all, diagnosis{
			Part: "hubspot properties", Status: "failed", Detail: name + ": " + fit.Unsuitable[name], Cure: "map to a property of your own, or remove it from hubspot.contacts.properties",
		})
	}
	return all
}
