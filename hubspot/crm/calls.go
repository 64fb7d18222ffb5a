package crm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/dependency"
)

// Upsert writes contacts and returns the outcomes by trace id. The error is about the inputs without an outcome.
func (c *Client) Upsert(ctx context.Context, inputs []Input) (map[string]Outcome, error) {
	sent := redact(values(inputs)...)
	body, err := c.do(ctx, call{
		op: dependency.OpUpsert, method: http.MethodPost, url: c.contacts("/batch/upsert"),
		body: map[string]any{"inputs": wireInputs(inputs)}, sent: sent,
	})
	if err != nil {
		return nil, fmt.Errorf("upsert contacts: %w", err)
	}
	return parseUpsert(body, inputs, sent)
}

// Probe upserts an empty batch: the answer shows whether HubSpot processes writes, whatever contacts contain. Its
// rejection of the empty batch is an answer.
func (c *Client) Probe(ctx context.Context) error {
	body, err := c.do(ctx, call{
		op: dependency.OpUpsert, method: http.MethodPost, url: c.contacts("/batch/upsert"),
		body: map[string]any{"inputs": []string{}}, timeout: probeTimeout,
	})
	var e *APIError
	if errors.As(err, &e) && e.Status == http.StatusBadRequest {
		return nil
	}
	if err != nil {
		return err
	}
	return decodeResponse(body, &struct{}{})
}

const probeTimeout = 10 * time.Second

// Read fetches properties of contacts by e-mail address. Addresses without a contact are missing from the result.
func (c *Client) Read(ctx context.Context, emails, properties []string) (map[string]Contact, error) {
	list, err := c.read(ctx, "email", emails, properties)
	return byEmail(list), err
}

// ReadByID fetches properties of one contact. Its ID is "" if it does not exist.
func (c *Client) ReadByID(ctx context.Context, id string, properties []string) (found Contact, err error) {
	list, err := c.read(ctx, "", []string{id}, properties)
	if len(list) > 0 {
		found = list[0]
	}
	return found, err
}

// Find looks up contacts by a property with unique values and returns them by value.
func (c *Client) Find(ctx context.Context, property string, values []string) (map[string]Contact, error) {
	list, err := c.read(ctx, property, values, []string{property})
	found := make(map[string]Contact, len(list))
	for _, contact := range list {
		found[contact.Property(property)] = contact
	}
	return found, err
}

// read fetches contacts by a unique property, or by HubSpot's id if idProperty is "".
func (c *Client) read(ctx context.Context, idProperty string, ids, properties []string) ([]Contact, error) {
	k := c.readCall(idProperty, ids, properties)
	body, err := c.do(ctx, k)
	if err != nil {
		return nil, fmt.Errorf("read contacts: %w", err)
	}
	return parseRead(body, k.sent)
}

func (c *Client) readCall(idProperty string, ids, properties []string) call {
	inputs := make([]map[string]string, len(ids))
	for i, id := range ids {
		inputs[i] = map[string]string{"id": id}
	}
	names := []string{"email", additionalEmails}
	for _, name := range properties {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	// The API description requires propertiesWithHistory, although HubSpot's own examples omit it.
	query := map[string]any{"inputs": inputs, "properties": names, "propertiesWithHistory": []string{}}
	if idProperty != "" {
		query["idProperty"] = idProperty
	}
	return call{
		op: dependency.OpRead, method: http.MethodPost, url: c.contacts("/batch/read"), body: query, sent: redact(ids...),
	}
}

// Update updates one contact by its id and returns its current id, which differs after a merge. Errors do not repeat
// the planned values either.
func (c *Client) Update(
	ctx context.Context, id string, properties map[string]string, planned ...string,
) (string, error) {
	sent := redact(slices.AppendSeq(slices.Clone(planned), maps.Values(properties))...)
	body, err := c.do(ctx, call{
		op: dependency.OpUpdate, method: http.MethodPatch, url: c.contacts("/" + url.PathEscape(id)),
		body: map[string]any{"properties": properties}, sent: sent,
	})
	if err != nil {
		return "", fmt.Errorf("update contact: %w", err)
	}
	var w wireContact
	if err = decodeResponse(body, &w); w.ID == "" {
		return "", fmt.Errorf("update contact: %w", sent.hide(cmp.Or(err, missingMember("id"))))
	}
	return string(w.ID), nil
}

// Schema reads the definitions of all contact properties.
func (c *Client) Schema(ctx context.Context) (Schema, error) {
	body, err := c.do(ctx, call{op: dependency.OpSchema, method: http.MethodGet, url: c.properties()})
	if err != nil {
		return nil, fmt.Errorf("read properties: %w", err)
	}
	return parseSchema(body)
}

// Submission is a form that a browser submits.
type Submission struct {
	Email   string
	UTK     string // the browser's hubspotutk cookie
	PageURI string
	Address string // the browser's IP address; left out if it is not valid
}

// Submit links a browser to the contact of an address with a form submission. The address is its only field, because
// other fields would overwrite the contact with what a browser claims.
func (c *Client) Submit(ctx context.Context, s Submission) error {
	cfg := c.cfg.Load()
	about := map[string]string{"hutk": s.UTK, "pageUri": s.PageURI}
	if a, err := netip.ParseAddr(s.Address); err == nil {
		about["ipAddress"] = a.String()
	}
	_, err := c.do(ctx, call{
		op: dependency.OpForm, method: http.MethodPost,
		url: strings.TrimSuffix(cfg.FormURL, "/") + "/submissions/v3/integration/secure/submit/" +
			strconv.FormatInt(cfg.HubID, 10) + "/" + url.PathEscape(cfg.FormID),
		body: map[string]any{
			"fields":  []map[string]string{{"objectTypeId": contactType, "name": "email", "value": s.Email}},
			"context": about,
		},
		sent: redact(s.Email, s.UTK, s.PageURI, s.Address),
	})
	return err
}
