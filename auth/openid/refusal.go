package openid

import (
	"net/http"
	"strconv"
	"strings"
)

// RefusalKind is what a refusal of the token endpoint means for a login.
type RefusalKind int

// The kinds of refusals.
const (
	RefusedForNow   RefusalKind = iota // the provider is temporarily unavailable
	RefusedCode                        // the code is used, expired, or of another login; a new login helps
	RefusedSettings                    // a setting here or at the provider is wrong; only the operator can help
)

// Refusal is an error response of the token endpoint (RFC 6749, section 5.2). Its text never contains the response's
// body, which may hold secrets.
type Refusal struct {
	Kind        RefusalKind
	code        string
	description string
	status      int
	html        bool
}

func newRefusal(res *http.Response, body tokenBody) *Refusal {
	r := &Refusal{code: body.Error, description: body.Description, status: res.StatusCode, html: isHTML(res)}
	r.Kind = refusalKind(r.status, r.code)
	return r
}

// refusalKind classifies the responses of a token endpoint (RFC 6749, section 5.2). The status takes precedence if it
// says that the provider, or a gateway in front of it, has a problem.
func refusalKind(status int, code string) RefusalKind {
	switch {
	case status >= 500, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout:
		return RefusedForNow
	case status >= 300 && status < 400: // a token endpoint never redirects, so its URL is wrong
		return RefusedSettings
	}
	switch code {
	case "invalid_grant":
		return RefusedCode
	case "server_error", "temporarily_unavailable", "slow_down", "too_many_requests", "rate_limit_exceeded":
		return RefusedForNow
	case "":
		switch status {
		case http.StatusUnauthorized, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone:
			return RefusedSettings
		}
		return RefusedForNow // for example a firewall's page
	}
	return RefusedSettings
}

// Error describes the response without its body. It omits the description of a refused code, which may name a person.
func (r *Refusal) Error() string {
	text := "token endpoint: " + strings.TrimSpace(strconv.Itoa(r.status)+" "+http.StatusText(r.status))
	description := cleanDescription(r.description)
	if r.code == "" {
		if text += " without an OAuth error"; description == "" {
			return text
		}
		return text + " (" + description + ")"
	}
	if code := cleanDescription(r.code); !errorWords.MatchString(r.code) && code != "" {
		text += " " + code // not of RFC 6749, but sent by the provider, not by a visitor
	} else {
		text += " " + SafeErrorCode(r.code)
	}
	if description != "" && r.code != "invalid_grant" {
		text += " (" + description + ")"
	}
	return text
}

// cure returns what the operator can do about refused settings.
func (c Config) cure(r *Refusal) string {
	const diagnose = "hubgate check --live finds the cause"
	switch r.code {
	case "invalid_client":
		return c.otherClientAuth() + "; otherwise auth.client_id or auth.client_secret is wrong; " + diagnose
	case "invalid_request":
		return c.otherClientAuth() + "; " + diagnose
	case "unauthorized_client":
		return "allow the authorization code grant for the client, and register exactly the callback URL; " + diagnose
	case "unsupported_grant_type":
		return "the provider, or the client there, does not support the authorization code grant; " + diagnose
	case "invalid_scope":
		return "auth.scopes has a scope that is not allowed for the client; " + diagnose
	case "":
		return c.cureWithoutCode(r) + "; " + diagnose
	}
	return "the client's settings at the provider do not match auth; " + diagnose
}

// cureWithoutCode is the cure for a refusal without an error code. It blames the URL only for responses that no token
// endpoint sends.
func (c Config) cureWithoutCode(r *Refusal) string {
	if r.status == http.StatusUnauthorized && !r.html {
		return "most likely auth.client_id or auth.client_secret is wrong; " + c.otherClientAuth()
	}
	return "the URL of the token endpoint is wrong (" + c.issuerKey() + " or auth.endpoints.token)"
}

// otherClientAuth is the cure for a provider that expects the client's secret elsewhere. Many send only invalid_request
// then.
func (c Config) otherClientAuth() string {
	switch c.ClientAuth {
	case "header":
		return "if the provider expects the client's secret in the body, write auth.client_auth: body"
	case "body":
		return "if the provider expects the client's secret in the header, write auth.client_auth: header"
	}
	return "if the client has a secret, write auth.client_secret, and auth.client_auth: header (or body)"
}
