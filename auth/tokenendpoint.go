package auth

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

	"golang.org/x/oauth2"

	"github.com/hubgate/hubgate/internal/dependency"
)

// maxTokenAnswer bounds an answer of the token endpoint.
const maxTokenAnswer = 1 << 20

// granted is what a token endpoint grants (RFC 6749, section 5.1).
type granted struct {
	access, refresh, id string
	expiry              time.Time // zero: the provider does not say
}

// requestToken sends a grant to the token endpoint. A refusal is an *oauth2.RetrieveError without the body, which may
// hold what must not be logged. golang.org/x/oauth2 would refuse a login for an expires_in such as 3599.5, without
// naming the reason.
func (p *Provider) requestToken(
	ctx context.Context, e *endpoints, op dependency.Op, grant url.Values,
) (*granted, error) {
	req, err := p.clientRequest(dependency.WithOp(ctx, op), e.Token, grant)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	res, err := p.deps.Client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("auth: the token endpoint: %w", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxTokenAnswer))
	if err != nil {
		return nil, fmt.Errorf("auth: the token endpoint: reading its answer: %w", err)
	}
	body = trimBOM(body)
	answer, readable := readTokenAnswer(body)
	refused := &oauth2.RetrieveError{Response: res, ErrorCode: answer.Error, ErrorDescription: answer.Description}
	switch {
	case res.StatusCode < 200 || res.StatusCode > 299 || answer.Error != "":
		return nil, refused
	case readable && answer.Access == "" && answer.Description != "":
		return nil, refused
	case !readable:
		return nil, fmt.Errorf("auth: the token endpoint answers %s with %s", res.Status, unreadable(res, body))
	case answer.Access == "":
		return nil, errors.New("auth: the token endpoint answers " + res.Status + " without an access_token")
	}
	return &granted{access: answer.Access, refresh: answer.Refresh, id: answer.ID, expiry: p.expiry(answer.ExpiresIn)}, nil
}

// clientRequest makes a request of this client: its id and secret go where auth.client_auth says, and nowhere else.
func (p *Provider) clientRequest(ctx context.Context, address string, form url.Values) (*http.Request, error) {
	if p.cfg.ClientAuth != "header" {
		form.Set("client_id", p.cfg.ClientID)
	}
	if p.cfg.ClientAuth == "body" {
		form.Set("client_secret", p.cfg.ClientSecret.Reveal())
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if p.cfg.ClientAuth == "header" {
		req.SetBasicAuth(url.QueryEscape(p.cfg.ClientID), url.QueryEscape(p.cfg.ClientSecret.Reveal()))
	}
	return req, nil
}

// maxExpiresIn is what an access token may live at most; more would overflow a Duration.
const maxExpiresIn = 10 * 365 * 24 * 3600

// expiry is when an access token ends. An expires_in that cannot be read counts as absent, as RFC 6749 allows it to be.
func (p *Provider) expiry(expiresIn any) time.Time {
	seconds, _ := expiresIn.(float64)
	if text, ok := expiresIn.(string); ok {
		seconds, _ = strconv.ParseFloat(strings.TrimSpace(text), 64)
	}
	if math.IsNaN(seconds) || seconds <= 0 {
		return time.Time{}
	}
	return p.deps.Now().Add(time.Duration(min(seconds, maxExpiresIn) * float64(time.Second)))
}

// unreadable says what came instead of JSON, without showing it.
func unreadable(res *http.Response, body []byte) string {
	switch {
	case len(body) == 0:
		return "nothing"
	case isHTML(res):
		return "an HTML page instead of JSON: is its address right?"
	}
	return "something that is not a JSON object"
}

func isHTML(res *http.Response) bool {
	kind, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(kind), "text/html")
}
