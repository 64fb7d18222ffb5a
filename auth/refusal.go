package auth

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/hubgate/hubgate/internal/setting"
	"golang.org/x/oauth2"
)

// refusalKind is what a refusal of the token endpoint means to a login.
type refusalKind int

const (
	refusedForNow   refusalKind = iota // the provider cannot answer now
	refusedCode                        // the code is spent, too old or another login's: a new login helps
	refusedSettings                    // a setting here or at the provider is wrong: only the operator can help
)

// kindOfRefusal sorts the answers of a token endpoint (RFC 6749, section 5.2). The status goes first where it says that
// the provider, or something in front of it, is in trouble.
func kindOfRefusal(answer *oauth2.RetrieveError) refusalKind {
	status := http.StatusBadRequest
	if answer.Response != nil {
		status = answer.Response.StatusCode
	}
	switch {
	case status >= 500, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout:
		return refusedForNow
	case status >= 300 && status < 400: // the token endpoint never redirects: its address is wrong
		return refusedSettings
	}
	switch answer.ErrorCode {
	case "invalid_grant":
		return refusedCode
	case "server_error", "temporarily_unavailable", "slow_down", "too_many_requests", "rate_limit_exceeded":
		return refusedForNow
	case "":
		switch status {
		case http.StatusUnauthorized, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone:
			return refusedSettings
		}
		return refusedForNow // a firewall's page, say
	}
	return refusedSettings
}

// settingsCure says where to look when the token endpoint refuses the gateway's settings.
func (p *Provider) settingsCure(answer *oauth2.RetrieveError) string {
	where := "hubgate check --live looks for the cause"
	switch code := answer.ErrorCode; code {
	case "invalid_client", "invalid_request":
		cure := ": " + p.otherClientAuth()
		if code == "invalid_client" {
			cure += "; otherwise auth.client_id or auth.client_secret is wrong"
		}
		return cure + "; " + where
	case "unauthorized_client":
		return ": allow the authorization code grant for the client, and register exactly the callback URL; " + where
	case "unsupported_grant_type":
		return ": the provider, or the client there, does not know the authorization code grant; " + where
	case "invalid_scope":
		return ": auth.scopes names a scope that the client may not ask for; " + where
	case "":
		return p.silentCure(answer.Response) + "; " + where
	}
	return ": the client's settings at the provider do not fit auth; " + where
}

// silentCure is the cure for a refusal without an error code. Only what no token endpoint would answer speaks against
// its address.
func (p *Provider) silentCure(res *http.Response) string {
	if res.StatusCode == http.StatusUnauthorized && !isHTML(res) {
		return ": with this status it is most often auth.client_id or auth.client_secret that is wrong, and " +
			p.otherClientAuth()
	}
	return ": the address of the token endpoint is wrong (" + p.issuerKey() + " or auth.endpoints.token)"
}

// otherClientAuth is the cure for a provider that takes the client's secret another way. Many answer only
// invalid_request then.
func (p *Provider) otherClientAuth() string {
	switch p.cfg.ClientAuth {
	case "header":
		return "if the provider takes the client's secret in the body only, write auth.client_auth: body"
	case "body":
		return "if the provider takes the client's secret in the header only, write auth.client_auth: header"
	}
	return "if the client has a secret, write auth.client_secret, and auth.client_auth: header (or body)"
}

// describe says what a token endpoint answered, without its body, which may hold what must not be logged. For a code
// that was refused the description is left out too: it may speak about a person.
func describe(answer *oauth2.RetrieveError) string {
	said := "nothing"
	if answer.Response != nil {
		said = strings.TrimSpace(strconv.Itoa(answer.Response.StatusCode) + " " + http.StatusText(answer.Response.StatusCode))
	}
	text := cleanDescription(answer.ErrorDescription)
	if answer.ErrorCode == "" {
		if said += " without an OAuth error"; text == "" {
			return said + " that can be read"
		}
		return said + " (" + text + ")"
	}
	if code := cleanDescription(answer.ErrorCode); !errorWords.MatchString(answer.ErrorCode) && code != "" {
		said += " " + code // not of RFC 6749, but the provider's own word, not a visitor's
	} else {
		said += " " + errorClass(answer.ErrorCode)
	}
	if text != "" && answer.ErrorCode != "invalid_grant" {
		said += " (" + text + ")"
	}
	return said
}

const (
	maxDescription = 200 // characters of an error_description that are logged
	maxWord        = 24  // of one word in it
)

// plainWord is a word of a sentence, the name of a parameter, a number, or a code such as AADSTS50011: nothing that was
// generated.
var plainWord = regexp.MustCompile(
	`^['(]?(?:[A-Za-z]+(?:[_'.-][A-Za-z]+)*|[0-9]{1,6}|[A-Z]{1,8}[0-9]{1,9})[).,:;!?']*$`)

// cleanDescription makes a provider's error_description fit for a log: one line, from which everything is left out that
// could be an address, a code, a token or a secret (CWE-117, CWE-532).
func cleanDescription(text string) string {
	var words []string
	for _, word := range strings.Fields(text) {
		if len(word) > maxWord || !plainWord.MatchString(word) {
			word = "..."
		}
		if word != "..." || len(words) == 0 || words[len(words)-1] != word {
			words = append(words, word)
		}
	}
	return setting.Truncate(strings.Join(words, " "), maxDescription)
}
