package doctor

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/hubgate/hubgate/hubspot"
	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/setting"
)

const (
	schemaScope = "crm.schemas.contacts.read" // for the definitions of properties
	readScope   = "crm.objects.contacts.read"
	writeScope  = "crm.objects.contacts.write"
)

// checkHubSpot checks the access token, its scopes and account, the mapped properties, the form, and what decides
// about access.
func (d *doctor) checkHubSpot(ctx context.Context) []setting.Finding {
	cfg := d.cfg.HubSpot
	if cfg.AccessToken == "" {
		return []setting.Finding{warning("hubspot", "contact sync is off: hubspot.access_token is empty",
			"write a service key to sync contacts", "hubspot.access_token")}
	}
	account, err := crm.NewAccount(cfg.CRM(), d.client(dependency.HubSpotAPI))
	if err != nil {
		return []setting.Finding{failed("hubspot", err.Error(), "", "")}
	}
	all, working := d.checkToken(ctx, account)
	if !working {
		return all
	}
	if id, err := account.Portal(ctx); err == nil && cfg.HubID != 0 && id != cfg.HubID {
		all = append(all, failed("hubspot account",
			fmt.Sprintf("the access token belongs to account %d, but hub_id is %d", id, cfg.HubID),
			"write the id of the token's account, or create a token in the other account",
			"hubspot.hub_id, hubspot.access_token"))
	}
	if cfg.Contacts.Sync {
		all = append(all, d.checkMapping(ctx, account)...)
	}
	if cfg.Visitors.Link == "form" {
		all = append(all, checkForm(ctx, account, cfg)...)
	}
	all = append(all, d.checkAccess(ctx, account)...)
	return unique(all) // a missing scope is one finding, whatever needs it
}

// checkToken checks the access token, and its scopes for contacts. hubgate writes contacts only with contact sync, so
// that a key without it needs no scope to write.
func (d *doctor) checkToken(ctx context.Context, account *crm.Account) (all []setting.Finding, working bool) {
	cfg := d.cfg.HubSpot
	type need struct {
		scope string
		probe func(context.Context) error
	}
	needs := []need{{readScope, account.Readable}}
	if cfg.Contacts.Sync {
		needs = []need{{writeScope, account.Writable}, {readScope, account.Readable}}
	}
	for i, n := range needs {
		err := n.probe(ctx)
		if status, _ := crm.Refused(err); i == 0 && err != nil && status != http.StatusForbidden {
			return []setting.Finding{apiFinding(cfg, err, "")}, false
		}
		if err != nil {
			all = append(all, apiFinding(cfg, err, n.scope))
		}
	}
	return append([]setting.Finding{ok("hubspot", "the access token works")}, all...), true
}

// checkMapping compares what a login writes with the properties of the account.
func (d *doctor) checkMapping(ctx context.Context, account *crm.Account) []setting.Finding {
	check, err := mapping.Compare(ctx, account, d.cfg.HubSpot.Contacts, d.cfg.ContactGroups())
	if err != nil {
		return []setting.Finding{apiFinding(d.cfg.HubSpot, err, schemaScope)}
	}
	return check.Findings()
}

// apiFinding explains an error of HubSpot's API. scope is the scope that the call needs.
func apiFinding(cfg hubspot.Config, err error, scope string) setting.Finding {
	const part = "hubspot"
	switch status, scopes := crm.Refused(err); {
	case status == http.StatusUnauthorized:
		return failed(part, "HubSpot does not accept the access token (401)",
			"create a service key and write it there; a rotated key expires after seven days", "hubspot.access_token")
	case status == http.StatusForbidden:
		if len(scopes) == 0 {
			scopes = []string{scope}
		}
		cure := "add the scope to the key"
		if slices.Contains(scopes, writeScope) {
			cure += ", or set hubspot.contacts.sync: false if hubgate should only read"
		}
		return failed("hubspot scopes", "the access token lacks "+strings.Join(scopes, ", "), cure,
			"HubSpot: Development, Keys, Service keys")
	case status == http.StatusTooManyRequests:
		return warning(part, err.Error(), "try again later; another application uses up the account's rate limit",
			"HubSpot: Development, Monitoring")
	case status == 0 && networkCause(err) != "":
		return failed(part, "HubSpot's API cannot be reached: "+networkCause(err),
			"make "+cfg.APIURL+" reachable from this machine", "network, hubspot.api_url")
	case status == 0:
		return failed(part, err.Error(), "check that "+cfg.APIURL+" is HubSpot's API", "network, hubspot.api_url")
	default:
		return failed(part, err.Error(), "check HubSpot's status page, and the API version", "hubspot.api_version")
	}
}
