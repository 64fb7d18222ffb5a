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

// client speaks to HubSpot's API. Every call takes its share of the budget first.
type client struct {
	http     *http.Client
	tokenNow func() string // the access token as of now; nil = the configuration's
	limiter  limiter
	cfg      atomic.Pointer[Config]
}

// budget is what calls are made out of.
type limiter interface {
	acquire(ctx context.Context) (permit string, err error)
	done(permit string, answer http.Header) // nil: there was no answer
	release(permit string)                  // the call was not made
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
	startedAt *time.Time // is told when the call had its share of the budget
	notAfter  time.Time  // the call is not made after this time; zero = whenever
}

// errStale is a call that had to wait for the budget until it made no sense any more.
var errStale = errors.New("the call had to wait too long for its share of the budget")

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
func (c *client) upsert(ctx context.Context, inputs []upsertInput, before time.Time) (map[string]outcome, error) {
	body, err := c.do(ctx, call{op: dependency.OpUpsert, method: http.MethodPost, url: c.contacts("/batch/upsert"), body: map[string]any{"inputs": inputs}, notAfter: before})
	if err != nil {
		return nil, fmt.Errorf("upsert contacts: %w", err)
	}
	return parseUpsert(body, inputs)
}

// read fetches properties of contacts by e-mail; people who are no contacts are missing from the result.
func (c *client) read(ctx context.Context, emails, properties []string) (map[string]wireObject, error) {
	list, _, err := c.readBy(ctx, "email", emails, properties)
	return byEmail(list), err
}

// find looks contacts up by a property whose values are unique.
func (c *client) find(ctx context.Context, property string, values []string) (map[string]wireObject, error) {
	list, _, err := c.readBy(ctx, property, values, []string{property})
	found := make(map[string]wireObject, len(list))
	for _, o := range list {
		found[o.property(property)] = o
	}
	return found, err
}

// readBy fetches contacts by a property that names them, "" for HubSpot's own id. at is when HubSpot was asked.
func (c *client) readBy(ctx context.Context, idProperty string, ids, properties []string) (list []wireObject, at time.Time, err error) {
	inputs := make([]map[string]string, len(ids))
	for i, id := range ids {
		inputs[i] = map[string]string{"id": id}
	}
	// The dated description requires propertiesWithHistory although HubSpot's own examples leave it out.
	ask := map[string]any{
		"inputs": inputs, "properties": append([]string{"email", additionalEmails}, properties...), "propertiesWithHistory": []string{},
	}
	if idProperty != "" {
		ask["idProperty"] = idProperty
	}
	body, err := c.do(ctx, call{op: dependency.OpRead, method: http.MethodPost, url: c.contacts("/batch/read"), body: ask, startedAt: &at})
	if err != nil {
		return nil, at, fmt.Errorf("read contacts: %w", err)
	}
	list, err = parseRead(body)
	return list, at, err
}

// update changes one contact by its id, and returns the id that it has.
func (c *client) update(ctx context.Context, id string, properties map[string]string, before time.Time) (string, error) {
	body, err := c.do(ctx, call{op: dependency.OpUpdate, method: http.MethodPatch, url: c.contacts("/" + url.PathEscape(id)), body: map[string]any{"properties": properties}, notAfter: before})
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

// do makes one call inside the budget and returns the body of a 2xx answer. Errors are *apiError when HubSpot answered.
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

// withoutKey takes the request's own key out of an answer: errors are shown to operators and kept in Redis, and a gateway in between
// may answer with all that it was asked.
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

// bare strips the URL from an error of net/http: it may hold an address.
func stripURL(err error) error {
	if u, ok := err.(*url.Error); ok {
		return u.Err
	}
	return err
}
