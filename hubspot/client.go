package hubspot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hubgate/hubgate/internal/dependency"
)

// client calls HubSpot's API. It acquires a permit from the limiter before each call.
type client struct {
	http     *http.Client
	tokenNow func() string // returns the current access token; nil = the configured one
	limiter  limiter
	cfg      atomic.Pointer[Config]
}

// limiter grants calls within a rate limit.
type limiter interface {
	acquire(ctx context.Context) (permit string, err error)
	done(permit string, answer http.Header) // answer is nil if there was none
	release(permit string)                  // gives back the permit of a call that was not made
}

func (c *client) set(cfg Config) { c.cfg.Store(&cfg) }

// upsertInput is one contact of a batch upsert.
type upsertInput struct {
	ID         string            `json:"id"`
	IDProperty string            `json:"idProperty"`
	TraceID    string            `json:"objectWriteTraceId"`
	Properties map[string]string `json:"properties"`
}

// call is one request to the API.
type call struct {
	op        dependency.Op
	method    string
	url       string
	body      any
	startedAt *time.Time // if set, receives the time when the limiter granted the call
	notAfter  time.Time  // the call is dropped after this time; zero = never
}

// errStale means that the call waited for the rate limit past its notAfter time and was not made.
var errStale = errors.New("the call waited too long for the rate limit")

// contacts returns the URL of a contacts endpoint. A dated version is part of the path in another place than v3.
func (c *client) contacts(rest string) string {
	cfg := c.cfg.Load()
	if cfg.APIVersion == "v3" {
		return c.api("/crm/v3/objects/contacts" + rest)
	}
	return c.api("/crm/objects/" + cfg.APIVersion + "/contacts" + rest)
}

func (c *client) properties() string {
	cfg := c.cfg.Load()
	if cfg.APIVersion == "v3" {
		return c.api("/crm/v3/properties/contacts")
	}
	return c.api("/crm/properties/" + cfg.APIVersion + "/contacts")
}

func (c *client) api(path string) string { return strings.TrimSuffix(c.cfg.Load().APIURL, "/") + path }

// upsert writes contacts and returns the outcomes by trace id. An input without an outcome was not answered.
func (c *client) upsert(ctx context.Context, inputs []upsertInput, notAfter time.Time) (map[string]outcome, error) {
	body, err := c.do(ctx, call{
		op: dependency.OpUpsert, method: http.MethodPost, url: c.contacts("/batch/upsert"),
		body: map[string]any{"inputs": inputs}, notAfter: notAfter,
	})
	if err != nil {
		return nil, fmt.Errorf("upsert contacts: %w", err)
	}
	return parseUpsert(body, inputs)
}

// read fetches properties of contacts by e-mail address. Addresses without a contact are missing from the result.
func (c *client) read(ctx context.Context, emails, properties []string) (map[string]wireObject, error) {
	list, _, err := c.readBy(ctx, "email", emails, properties)
	return byEmail(list), err
}

// find looks up contacts by a property with unique values.
func (c *client) find(ctx context.Context, property string, values []string) (map[string]wireObject, error) {
	list, _, err := c.readBy(ctx, property, values, []string{property})
	found := make(map[string]wireObject, len(list))
	for _, o := range list {
		found[o.property(property)] = o
	}
	return found, err
}

// readBy fetches contacts by a unique property, or by HubSpot's id if idProperty is "". at is when HubSpot was asked.
func (c *client) readBy(
	ctx context.Context, idProperty string, ids, properties []string,
) (list []wireObject, at time.Time, err error) {
	inputs := make([]map[string]string, len(ids))
	for i, id := range ids {
		inputs[i] = map[string]string{"id": id}
	}
	// The API description requires propertiesWithHistory, although HubSpot's own examples omit it.
	ask := map[string]any{
		"inputs": inputs, "properties": append([]string{"email", additionalEmails}, properties...),
		"propertiesWithHistory": []string{},
	}
	if idProperty != "" {
		ask["idProperty"] = idProperty
	}
	body, err := c.do(ctx, call{
		op: dependency.OpRead, method: http.MethodPost, url: c.contacts("/batch/read"), body: ask, startedAt: &at,
	})
	if err != nil {
		return nil, at, fmt.Errorf("read contacts: %w", err)
	}
	list, err = parseRead(body)
	return list, at, err
}

// update updates one contact by its id and returns its current id.
func (c *client) update(
	ctx context.Context, id string, properties map[string]string, notAfter time.Time,
) (string, error) {
	body, err := c.do(ctx, call{
		op: dependency.OpUpdate, method: http.MethodPatch, url: c.contacts("/" + url.PathEscape(id)),
		body: map[string]any{"properties": properties}, notAfter: notAfter,
	})
	if err != nil {
		return "", fmt.Errorf("update contact: %w", err)
	}
	var o wireObject
	if json.Unmarshal(body, &o) != nil || o.ID == "" {
		return "", fmt.Errorf("update contact: %w", errUnexpectedResponse)
	}
	return string(o.ID), nil
}

// schema reads the definitions of all contact properties.
func (c *client) schema(ctx context.Context) (schema, error) {
	body, err := c.do(ctx, call{op: dependency.OpSchema, method: http.MethodGet, url: c.properties(), body: nil})
	if err != nil {
		return nil, fmt.Errorf("read properties: %w", err)
	}
	return parseSchema(body)
}

func parseSchema(body []byte) (schema, error) {
	var list struct {
		Results []property `json:"results"`
	}
	if err := json.Unmarshal(body, &list); err != nil || len(list.Results) == 0 {
		return nil, errUnexpectedResponse
	}
	s := make(schema, len(list.Results))
	for _, p := range list.Results {
		s[p.Name] = p
	}
	return s, nil
}

// do makes one call within the rate limit and returns the body of a 2xx response. The error is an *apiError if HubSpot
// answered.
func (c *client) do(ctx context.Context, k call) ([]byte, error) {
	permit, err := c.limiter.acquire(ctx)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	if !k.notAfter.IsZero() && now.After(k.notAfter) {
		c.limiter.release(permit)
		return nil, errStale
	}
	var answer http.Header
	defer func() { c.limiter.done(permit, answer) }()
	if k.startedAt != nil {
		*k.startedAt = now
	}
	req, err := c.request(ctx, k)
	if err != nil {
		return nil, err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, stripURL(err)
	}
	defer res.Body.Close()
	answer = res.Header
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return nil, parseError(res.StatusCode, res.Header, redactToken(body, req))
	}
	if err != nil {
		return nil, stripURL(err)
	}
	return body, nil
}

const maxAnswer = 32 << 20

// redactToken removes the request's own token from a response: errors are shown to operators and stored in Redis, and a
// gateway in between may echo the request (CWE-532).
func redactToken(body []byte, req *http.Request) []byte {
	token := strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")
	if token == "" {
		return body
	}
	return bytes.ReplaceAll(body, []byte(token), []byte("<key>"))
}

func (c *client) request(ctx context.Context, k call) (*http.Request, error) {
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
	req.Header.Set("Authorization", "Bearer "+c.token())
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "hubgate")
	if k.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

func (c *client) token() string {
	if c.tokenNow != nil {
		return c.tokenNow()
	}
	return c.cfg.Load().AccessToken.Reveal()
}

// stripURL removes the URL from an error of net/http, because it may contain an e-mail address.
func stripURL(err error) error {
	if u, ok := err.(*url.Error); ok {
		return u.Err
	}
	return err
}
