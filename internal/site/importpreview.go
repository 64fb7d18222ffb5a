package site

import (
	"context"

	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/internal/config"
)

// PreviewImport returns a preview of imports into the HubSpot account of a configuration.
func PreviewImport(ctx context.Context, cfg *config.Config) (*mapping.ImportPreview, error) {
	account, err := openAccount(cfg)
	if err != nil {
		return nil, err
	}
	if _, err := portalOf(ctx, cfg, account); err != nil {
		return nil, err
	}
	preview, err := mapping.NewImportPreview(ctx, account, cfg.HubSpot.Contacts, mapping.Provider{
		Issuer: cfg.Auth.OpenID().IssuerURL(), GroupsClaim: cfg.Auth.GroupsClaim,
	})
	return preview, withCure(err, "crm.schemas.contacts.read")
}
