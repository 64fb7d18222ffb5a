package crm

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/hubgate/hubgate/internal/dependency"
)

// Account is a HubSpot account as used by operator commands: without Redis, one call at a time, spread evenly within
// the configured rate limit. It does not share the rate limit of a running gateway.
type Account struct {
	cfg    Config
	client *Client
}

// NewAccount returns an Account. It makes no network calls. httpClient must limit the time and size of responses.
func NewAccount(cfg Config, httpClient *http.Client) (*Account, error) {
	switch {
	case httpClient == nil:
		return nil, errors.New("hubspot: an HTTP client is required")
	case cfg.AccessToken == "":
		return nil, errors.New("hubspot: hubspot.access_token is empty")
	}
	return &Account{cfg: cfg, client: New(cfg, httpClient, newLocalLimiter(cfg.RateLimit), nil)}, nil
}

// Portal returns the account's HubID. Its error names HubSpot's refusal and missing scopes.
func (a *Account) Portal(ctx context.Context) (int64, error) {
	return parsePortal(a.doWithRetry(ctx, a.client.portalCall()))
}

// Portal returns the HubID of the account that the token belongs to.
func (c *Client) Portal(ctx context.Context) (int64, error) {
	return parsePortal(c.do(ctx, c.portalCall()))
}

func (c *Client) portalCall() call {
	path := "/account-info/" + c.cfg.Load().APIVersion + "/details"
	return call{op: dependency.OpAccount, method: http.MethodGet, url: c.api(path)}
}

// parsePortal reads the response with the account's details.
func parsePortal(body []byte, err error) (int64, error) {
	var details struct {
		PortalID int64 `json:"portalId"`
	}
	if err == nil {
		err = decodeResponse(body, &details)
	}
	if err == nil && details.PortalID == 0 {
		err = missingMember("portalId")
	}
	if err != nil {
		return 0, fmt.Errorf("hubspot: read account: %w", err)
	}
	return details.PortalID, nil
}

// Readable reports an error unless the token may read contacts, which write: if_empty and visitors.link need.
func (a *Account) Readable(ctx context.Context) error {
	c := call{op: dependency.OpRead, method: http.MethodGet, url: a.client.contacts("?limit=1")}
	_, err := a.doWithRetry(ctx, c)
	if err != nil {
		return fmt.Errorf("hubspot: read contacts: %w", err)
	}
	return nil
}

// Writable reports an error unless the token may write contacts. It sends an empty batch: HubSpot rejects that as
// invalid if the token has the scope.
func (a *Account) Writable(ctx context.Context) error {
	_, err := a.doWithRetry(ctx, call{
		op: dependency.OpUpsert, method: http.MethodPost, url: a.client.contacts("/batch/upsert"),
		body: map[string]any{"inputs": []string{}},
	})
	var e *APIError
	if err == nil || errors.As(err, &e) && e.AboutContacts() {
		return nil
	}
	return fmt.Errorf("hubspot: write contacts: %w", err)
}
