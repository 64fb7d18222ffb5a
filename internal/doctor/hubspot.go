package doctor

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/hubgate/hubgate/hubspot"
	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/setting"
)

func QuietLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

// askHubSpot tries the access token and its scopes, and holds the mapping to the properties that HubSpot has.
func (d *doctor) askHubSpot(ctx context.Context) []setting.Finding {
	cfg := d.cfg.HubSpot
	if cfg.AccessToken == "" {
		return []setting.Finding{{Part: "hubspot", Status: setting.Warning, Detail: "contact sync is off: hubspot.access_token is empty", Cure: "write a service key to keep contacts", Where: "hubspot.access_token"}}
	}
	account, err := crm.NewAccount(cfg.CRM(), d.client(dependency.HubSpotAPI))
	if err != nil {
		return []setting.Finding{{Part: "hubspot", Status: setting.Failed, Detail: err.Error()}}
	}
	writing := account.Writable(ctx)
	if status, _ := crm.Refused(writing); writing != nil && status != http.StatusForbidden {
		return []setting.Finding{hubspotRefusal(cfg, writing, "")}
	}
	all := []setting.Finding{{Part: "hubspot", Status: setting.OK, Detail: "the access token works"}}
	refused := func(err error, scope string) {
		if err != nil {
			all = append(all, hubspotRefusal(cfg, err, scope))
		}
	}
	refused(writing, "crm.objects.contacts.write")
	refused(account.Readable(ctx), "crm.objects.contacts.read")
	fit, err := hubspot.CheckMapping(ctx, account, cfg.Contacts)
	refused(err, "crm.schemas.contacts.read")
	if portal, err := account.Portal(ctx); err == nil && cfg.HubID != 0 && portal != cfg.HubID {
		all = append(all, setting.Finding{Part: "hubspot account", Status: setting.Failed, Detail: fmt.Sprintf("the access token is of account %d, hub_id is %d", portal, cfg.HubID),
			Cure: "write the number of the token's account, or make a token in the other one", Where: "hubspot.hub_id, hubspot.access_token"})
	}
	return append(all, judgeFitness(fit)...)
}

// hubspotRefusal tells why HubSpot refused a call; scope is what the call needs.
func hubspotRefusal(cfg hubspot.Config, err error, scope string) setting.Finding {
	const keys = "HubSpot: Development, Keys, Service keys"
	f := setting.Finding{Part: "hubspot", Status: setting.Failed}
	switch status, scopes := crm.Refused(err); {
	case status == http.StatusUnauthorized:
		f.Detail, f.Cure, f.Where = "HubSpot does not accept the access token (401)", "make a service key and put it there; a rotated one ends after seven days", "hubspot.access_token"
	case status == http.StatusForbidden:
		if len(scopes) == 0 {
			scopes = []string{scope}
		}
		f.Part, f.Detail, f.Cure, f.Where = "hubspot scopes", "the access token lacks "+strings.Join(scopes, ", "), "add the scope to the key", keys
	case status == http.StatusTooManyRequests:
		f.Status, f.Detail, f.Cure, f.Where = setting.Warning, err.Error(), "try again later; another application uses up the account's calls", "HubSpot: Development, Monitoring"
	case status == 0:
		f.Detail, f.Cure, f.Where = err.Error(), "let this machine reach "+cfg.APIURL, "network, hubspot.api_url"
	default:
		f.Detail, f.Cure, f.Where = err.Error(), "look at HubSpot's status page, and at the version", "hubspot.api_version"
	}
	return f
}

func judgeFitness(fit hubspot.MappingCheck) (all []setting.Finding) {
	for _, p := range fit.Missing {
		all = append(all, setting.Finding{Part: "hubspot properties", Status: setting.Failed, Detail: "HubSpot has no property " + p.Name,
			Cure: "run hubgate contacts setup, or remove it", Where: setting.Join("hubspot.contacts.properties", p.Name)})
	}
	for _, name := range setting.SortedNames(fit.Unsuitable) {
		all = append(all, setting.Finding{Part: "hubspot properties", Status: setting.Failed, Detail: name + ": " + fit.Unsuitable[name],
			Cure: "map to a property of your own, or remove it", Where: setting.Join("hubspot.contacts.properties", name)})
	}
	for _, name := range setting.SortedNames(fit.Doubtful) {
		all = append(all, setting.Finding{Part: "hubspot properties", Status: setting.Warning, Detail: name + ": " + fit.Doubtful[name],
			Cure: "make a property whose values are unique, and map to that", Where: setting.Join("hubspot.contacts.properties", name)})
	}
	return all
}
