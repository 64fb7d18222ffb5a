package site

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/internal/config"
)

// Setup compares the mapped properties of a configuration with those of its HubSpot account.
type Setup struct {
	Portal int64 `json:"portal"` // HubID of the account
	mapping.Check
	Created []string `json:"created"`

	account *crm.Account
}

// CheckSetup returns which mapped properties are missing or unsuitable. It changes nothing. groups are further options
// of the property with the groups, besides those that the configuration names.
func CheckSetup(ctx context.Context, cfg *config.Config, groups []string) (*Setup, error) {
	account, err := openAccount(cfg)
	if err != nil {
		return nil, err
	}
	s := &Setup{account: account, Created: []string{}}
	if s.Portal, err = portalOf(ctx, cfg, account); err != nil {
		return nil, err
	}
	all := cfg.ContactGroups()
	for _, name := range groups {
		if !slices.Contains(all.Names, name) {
			all.Names = append(all.Names, name)
		}
	}
	s.Check, err = mapping.Compare(ctx, account, cfg.HubSpot.Contacts, all)
	return s, withCure(err, "crm.schemas.contacts.read")
}

// Create creates the missing properties. It calls created after each.
func (s *Setup) Create(ctx context.Context, created func(name string)) error {
	err := s.Check.Create(ctx, s.account, func(name string) {
		s.Created = append(s.Created, name)
		created(name)
	})
	return withCure(err, "crm.schemas.contacts.write")
}

// Complete reports whether every mapped property now exists and is suitable.
func (s *Setup) Complete() bool { return len(s.Created) >= len(s.Missing) && len(s.Unsuitable) == 0 }

// portalOf returns the HubID of the access token's account. It is an error if the configuration has another one. A
// token without the permission to ask gets the configured one.
func portalOf(ctx context.Context, cfg *config.Config, account *crm.Account) (int64, error) {
	portal, err := account.Portal(ctx)
	if status, _ := crm.Refused(err); status == http.StatusForbidden || status == http.StatusNotFound {
		return cfg.HubSpot.HubID, nil
	}
	if id := cfg.HubSpot.HubID; err == nil && id != 0 && id != portal {
		return 0, fmt.Errorf("account mismatch: hubspot.hub_id is %d, but the access token belongs to account %d; "+
			"nothing was changed", id, portal)
	}
	return portal, withCure(err, "oauth")
}
