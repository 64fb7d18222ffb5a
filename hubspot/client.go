package hubspot

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/hubgate/hubgate/internal/dependency"
)

// client speaks to HubSpot's API. Every call takes its share of the budget first.
type client struct {
	http  *http.Client
	fresh func() string // the access token as of now; nil = the configuration's
	limit budget
	cfg   atomic.Pointer[Config]
}

// budget is what calls are made out of.
type budget interface {
	take(ctx context.Context) (permit string, err error)
	done(permit string, answer http.Header) // nil: there was no answer
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
	op     dependency.Op
	method string
	url    string
	body   any
}

// contacts is the path of the contacts' calls: the dated version has its place in it, v3 another one.
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

// upsert writes contacts. The outcomes are by trace id; an input without one was not answered.
func (c *client) upsert(ctx context.Context, inputs []upsertInput) (map[string]outcome, error) {
	body, err := c.do(ctx, call{dependency.OpUpsert, http.MethodPost, c.contacts("/batch/upsert"), map[string]any{"inputs": inputs}})
	if err != nil {
		return nil, fmt.Errorf("upsert contacts: %w", err)
	}
	return parseUpsert(body, inputs)
}

// read fetches properties of contacts by e-mail; people who are no contacts are missing from the result.
func (c *client) read(ctx context.Context, emails, properties []string) (map[string]wireObject, error) {
	list, err := c.readBy(ctx, "email", emails, properties)
	return byAddress(list), err
}

// find looks contacts up by a property whose values are unique.
func (c *client) find(ctx context.Context, property string, values []string) (map[string]wireObject, error) {
	list, err := c.readBy(ctx, property, values, []string{property})
	found := make(map[string]wireObject, len(list))
	for _, o := range list {
		found[o.property(property)] = o
	}
	return found, err
}

func (c *client) readBy(ctx context.Context, idProperty string, ids, properties []string) ([]wireObject, error) {
	inputs := make([]map[string]string, len(ids))
	for i, id := range ids {
		inputs[i] = map[string]string{"id": id}
	}
	// The dated description requires propertiesWithHistory although HubSpot's own examples leave it out.
	body, err := c.do(ctx, call{dependency.OpRead, http.MethodPost, c.contacts("/batch/read"), map[string]any{
		"inputs": inputs, "idProperty": idProperty, "properties": append([]string{"email", additionalEmails}, properties...), "propertiesWithHistory": []string{},
	}})
	if err != nil {
		return nil, fmt.Errorf("read contacts: %w", err)
	}
	return parseRead(body)
}

// update changes one contact by its id, and returns the id that it has.
func (c *client) update(ctx context.Context, id string, properties map[string]string) (string, error) {
	body, err := c.do(ctx, call{dependency.OpUpdate, http.MethodPatch, c.contacts("/" + url.PathEscape(id)), map[string]any{"properties": properties}})
	if err != nil {
		return "", fmt.Errorf("update contact: %w", err)
	}
	var o wireObject
	if json.Unmarshal(body, &o) != nil || o.ID == "" {
		return "", fmt.Errorf("update contact: %w", errGarbage)
	}
	return string(o.ID), nil
}

// schema reads the definitions of all contact properties.
func (c *client) schema(ctx context.Context) (schema, error) {
	body, err := c.do(ctx, call{dependency.OpSchema, http.MethodGet, c.properties(), nil})
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
		return nil, errGarbage
	}
	s := make(schema, len(list.Results))
	for _, p := range list.Results {
		s[p.Name] = p
	}
	return s, nil
}

// do makes one call inside the budget and returns the body of a 2xx answer. Errors are *apiError when HubSpot answered.
func (c *client) do(ctx context.Context, k call) ([]byte, error) {
	permit, err := c.limit.take(ctx)
	if err != nil {
		return nil, err
	}
	var answer http.Header
	defer func() { c.limit.done(permit, answer) }()
	req, err := c.request(ctx, k)
	if err != nil {
		return nil, err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, bare(err)
	}
	defer res.Body.Close()
	answer = res.Header
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return nil, parseError(res.StatusCode, res.Header, body)
	}
	if err != nil {
		return nil, bare(err)
	}
	return body, nil
}

const maxAnswer = 32 << 20

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
	if c.fresh != nil {
		return c.fresh()
	}
	return c.cfg.Load().AccessToken.Reveal()
}

// bare strips the URL from an error of net/http: it may hold an address.
func bare(err error) error {
	if u, ok := err.(*url.Error); ok {
		return u.Err
	}
	return err
}
