package hubspot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/setting"
)

// Account is a HubSpot account as used by operator commands: without Redis, one call at a time, spread evenly within
// the configured rate limit. It does not share the rate limit of a running gateway.
type Account struct {
	cfg    Config
	client *client
}

// NewAccount returns an Account. It makes no network calls. httpClient must limit the time and size of responses.
func NewAccount(cfg Config, httpClient *http.Client) (*Account, error) {
	switch {
	case httpClient == nil:
		return nil, errors.New("hubspot: an HTTP client is required")
	case cfg.AccessToken == "":
		return nil, errors.New("hubspot: hubspot.access_token is empty")
	}
	a := &Account{cfg: cfg, client: &client{http: httpClient, limiter: newLocalLimiter(cfg.RateLimit)}}
	a.client.set(cfg)
	return a, nil
}

// localLimiter spreads the calls of one process evenly.
type localLimiter struct {
	interval time.Duration
	next     time.Time
}

func newLocalLimiter(rate setting.Rate) *localLimiter {
	if rate.Requests < 1 {
		rate = DefaultConfig().RateLimit
	}
	return &localLimiter{interval: rate.Per.D() / time.Duration(rate.Requests)}
}

func (l *localLimiter) acquire(ctx context.Context) (string, error) {
	if wait := time.Until(l.next); wait > 0 && !sleep(ctx, wait) {
		return "", ctx.Err()
	}
	l.next = time.Now().Add(l.interval)
	return "", nil
}

func (l *localLimiter) done(string, http.Header) {}
func (l *localLimiter) release(string)           {}

// maxAttempts is how often a call is made that fails with transient errors.
const maxAttempts = 5

// doWithRetry makes a call and repeats it while HubSpot answers with transient errors.
func (a *Account) doWithRetry(ctx context.Context, k call) (body []byte, err error) {
	for attempt := 1; ; attempt++ {
		body, err = a.client.do(ctx, k)
		var e *apiError
		if err == nil || attempt == maxAttempts || errors.As(err, &e) && !e.transient() {
			return body, err
		}
		wait := time.Second << (attempt - 1)
		if e != nil && e.Status == http.StatusTooManyRequests {
			wait = min(policyPause(e), 15*time.Second)
		}
		if deadline, bound := ctx.Deadline(); bound && time.Until(deadline) < wait || !sleep(ctx, wait) {
			return nil, err // more specific than the context's error
		}
	}
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
	var e *apiError
	if err == nil || errors.As(err, &e) && e.aboutContacts() {
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
