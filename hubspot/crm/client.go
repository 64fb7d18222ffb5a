package crm

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hubgate/hubgate/internal/dependency"
)

// Client calls HubSpot's API. It acquires a permit from its limiter before each call.
type Client struct {
	http    *http.Client
	limiter Limiter
	token   func() string // returns the current access token; nil = the configured one
	cfg     atomic.Pointer[Config]
}

// Limiter grants calls within a rate limit.
type Limiter interface {
	Acquire(ctx context.Context) (permit string, err error)
	Done(permit string, response http.Header) // response is nil if there was none
}

// New returns a Client. httpClient must limit the time and size of responses and follow no redirects. token returns the
// current access token; nil means the configured one.
func New(cfg Config, httpClient *http.Client, limiter Limiter, token func() string) *Client {
	c := &Client{http: httpClient, limiter: limiter, token: token}
	c.Set(cfg)
	return c
}

// Set applies a reloaded configuration.
func (c *Client) Set(cfg Config) { c.cfg.Store(&cfg) }

// Token returns the current access token.
func (c *Client) Token() string {
	if c.token != nil {
		return c.token()
	}
	return c.cfg.Load().AccessToken.Reveal()
}

// call is one request to the API.
type call struct {
	op      dependency.Op
	method  string
	url     string
	body    any
	sent    redactor      // values that its errors must not contain
	timeout time.Duration // 0 = that of the HTTP client
}

// contacts returns the URL of a contacts endpoint.
func (c *Client) contacts(rest string) string {
	return c.api("/crm/objects/" + c.cfg.Load().APIVersion + "/contacts" + rest)
}

func (c *Client) properties() string {
	return c.api("/crm/properties/" + c.cfg.Load().APIVersion + "/contacts")
}

func (c *Client) api(path string) string { return strings.TrimSuffix(c.cfg.Load().APIURL, "/") + path }

// do makes one call within the rate limit and returns the body of a 2xx response. The error is an *APIError if HubSpot
// responded.
func (c *Client) do(ctx context.Context, k call) ([]byte, error) {
	permit, err := c.limiter.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	var response http.Header
	defer func() { c.limiter.Done(permit, response) }()
	ctx, cancel := limited(ctx, k.timeout)
	defer cancel()
	req, err := c.request(ctx, k)
	if err != nil {
		return nil, err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, k.sent.hide(stripURL(err))
	}
	defer res.Body.Close()
	response = res.Header
	body, err := io.ReadAll(io.LimitReader(res.Body, maxResponse))
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return nil, parseError(res.StatusCode, res.Header, redactToken(body, req), k.sent)
	}
	if err != nil {
		return nil, k.sent.hide(stripURL(err))
	}
	return body, nil
}

type limitKey struct{}

// WithLimit returns a context in which each call may take at most d. Waiting for a permit does not count.
func WithLimit(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, limitKey{}, d)
}

// limited returns the context of one call. timeout is the limit of its kind; 0 = that of WithLimit, or none.
func limited(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if d, set := ctx.Value(limitKey{}).(time.Duration); set && timeout == 0 {
		timeout = d
	}
	if timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, timeout)
}

const maxResponse = 32 << 20

// redactToken removes the request's own token from a response: errors are shown to operators and stored in Redis, and a
// gateway in between may echo the request (CWE-532).
func redactToken(body []byte, req *http.Request) []byte {
	token := strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")
	if token == "" {
		return body
	}
	return bytes.ReplaceAll(body, []byte(token), []byte("<key>"))
}

func (c *Client) request(ctx context.Context, k call) (*http.Request, error) {
	var body io.Reader
	if k.body != nil {
		encoded, err := json.Marshal(k.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(dependency.WithOp(ctx, k.op), k.method, k.url, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.Token())
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "hubgate")
	if k.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// stripURL removes the URL from an error of net/http, because it may contain an e-mail address.
func stripURL(err error) error {
	if u, ok := err.(*url.Error); ok {
		return u.Err
	}
	return err
}
