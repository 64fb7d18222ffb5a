package openid

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hubgate/hubgate/internal/dependency"
)

// tokenEndpoint sends grants to the provider's token endpoint.
type tokenEndpoint struct {
	cfg    Config
	client *http.Client
	now    func() time.Time
}

// maxTokenBody bounds a response of the token endpoint.
const maxTokenBody = 1 << 20

// TokenResponse is a successful response of the token endpoint (RFC 6749, section 5.1).
type TokenResponse struct {
	access, refresh, id string
	expiry              time.Time // zero if the provider does not send it
}

// request sends a grant. A refused grant is a *Refusal. golang.org/x/oauth2 is not used here, because it rejects an
// expires_in such as 3599.5 without a reason.
func (t tokenEndpoint) request(
	ctx context.Context, op dependency.Op, address string, grant url.Values,
) (*TokenResponse, error) {
	req, err := t.newRequest(dependency.WithOp(ctx, op), address, grant)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	res, err := t.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("token endpoint: %w", err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxTokenBody))
	if err != nil {
		return nil, fmt.Errorf("token endpoint: read response: %w", err)
	}
	return t.parse(res, trimBOM(text))
}

// parse returns the tokens or the error in a response.
func (t tokenEndpoint) parse(res *http.Response, text []byte) (*TokenResponse, error) {
	body, ok := parseTokenBody(text)
	switch {
	case res.StatusCode < 200 || res.StatusCode > 299 || body.Error != "",
		ok && body.Access == "" && body.Description != "":
		return nil, newRefusal(res, body)
	case !ok:
		return nil, fmt.Errorf("token endpoint: %s with %s", res.Status, unexpectedBody(res, text))
	case body.Access == "":
		return nil, errors.New("token endpoint: " + res.Status + " without an access_token")
	}
	return &TokenResponse{
		access: body.Access, refresh: body.Refresh, id: body.ID, expiry: t.expiry(body.ExpiresIn),
	}, nil
}

// newRequest returns a request of this client. The client's ID and secret are sent only where client_auth says.
func (t tokenEndpoint) newRequest(ctx context.Context, address string, form url.Values) (*http.Request, error) {
	id, secret := t.cfg.ClientID, t.cfg.ClientSecret.Reveal()
	if t.cfg.ClientAuth != "header" {
		form.Set("client_id", id)
	}
	if t.cfg.ClientAuth == "body" {
		form.Set("client_secret", secret)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if t.cfg.ClientAuth == "header" {
		req.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	}
	return req, nil
}

// maxExpiresIn bounds the lifetime of an access token in seconds, so that it does not overflow a Duration.
const maxExpiresIn = 10 * 365 * 24 * 3600

// expiry returns when an access token expires. An invalid expires_in counts as absent, which RFC 6749 allows.
func (t tokenEndpoint) expiry(expiresIn any) time.Time {
	seconds, _ := expiresIn.(float64)
	if text, ok := expiresIn.(string); ok {
		seconds, _ = strconv.ParseFloat(strings.TrimSpace(text), 64)
	}
	if math.IsNaN(seconds) || seconds <= 0 {
		return time.Time{}
	}
	return t.now().Add(time.Duration(min(seconds, maxExpiresIn) * float64(time.Second)))
}

// unexpectedBody describes a body that is not JSON, without its content.
func unexpectedBody(res *http.Response, text []byte) string {
	switch {
	case len(text) == 0:
		return "an empty body"
	case isHTML(res):
		return "an HTML page instead of JSON; check the endpoint's URL"
	}
	return "a body that is not a JSON object"
}

func isHTML(res *http.Response) bool {
	kind, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(kind), "text/html")
}
