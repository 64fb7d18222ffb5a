package crm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

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
	path := "/account-info/" + a.cfg.APIVersion + "/details"
	body, err := a.doWithRetry(ctx, call{op: dependency.OpAccount, method: http.MethodGet, url: a.client.api(path)})
	if err != nil {
		return 0, fmt.Errorf("hubspot: read account: %w", err)
	}
	var details struct {
		PortalID int64 `json:"portalId"`
	}
	if err := json.Unmarshal(body, &details); err != nil || details.PortalID == 0 {
		return 0, fmt.Errorf("hubspot: read account: %w", errUnexpectedResponse)
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

// list reads all pages of a list and passes each element to take.
func (a *Account) list(ctx context.Context, path string, take func(json.RawMessage) error) error {
	after := ""
	for {
		query := url.Values{"limit": {"100"}}
		if after != "" {
			query.Set("after", after)
		}
		body, err := a.doWithRetry(ctx, call{
			op: dependency.OpPages, method: http.MethodGet, url: a.client.api(path) + "?" + query.Encode(),
		})
		if err != nil {
			return err
		}
		var list struct {
			Results []json.RawMessage `json:"results"`
			Paging  struct {
				Next struct {
					After string `json:"after"`
				} `json:"next"`
			} `json:"paging"`
		}
		if err := json.Unmarshal(body, &list); err != nil {
			return errUnexpectedResponse
		}
		for _, element := range list.Results {
			if err := take(element); err != nil {
				return err
			}
		}
		// Stop at a repeated cursor, which would loop forever.
		if list.Paging.Next.After == "" || list.Paging.Next.After == after {
			return nil
		}
		after = list.Paging.Next.After
	}
}
