package openid

import (
	"context"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Authorization holds the parameters of one request to the authorization endpoint.
type Authorization struct {
	State       string
	Nonce       string
	Verifier    string // PKCE code verifier (RFC 7636)
	RedirectURI string
	Prompt      bool          // the provider must authenticate the user again
	MaxAge      time.Duration // the oldest authentication that is accepted; 0 = any
}

// AuthorizeURL returns the URL that begins a login at the provider. It needs the provider's metadata.
func (p *Provider) AuthorizeURL(ctx context.Context, a Authorization) (string, error) {
	m, err := p.discovery.metadata(ctx)
	if err != nil {
		return "", err
	}
	config := oauth2.Config{
		ClientID: p.cfg.ClientID, RedirectURL: a.RedirectURI, Scopes: p.cfg.Scopes,
		Endpoint: oauth2.Endpoint{AuthURL: m.Authorize},
	}
	return config.AuthCodeURL(a.State, p.cfg.authorizeOptions(a)...), nil
}

func (c Config) authorizeOptions(a Authorization) []oauth2.AuthCodeOption {
	var options []oauth2.AuthCodeOption
	for name, value := range c.AuthorizeParams {
		options = append(options, oauth2.SetAuthURLParam(name, value))
	}
	options = append(options, oauth2.SetAuthURLParam("nonce", a.Nonce), oauth2.S256ChallengeOption(a.Verifier))
	if a.Prompt {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"))
	}
	if a.Prompt && a.MaxAge > 0 && !c.Cognito() {
		seconds := strconv.Itoa(int(math.Ceil(a.MaxAge.Seconds())))
		options = append(options, oauth2.SetAuthURLParam("max_age", seconds))
	}
	return options
}

// Origins returns the origins of the provider's login and logout pages, or nil before the first discovery.
func (p *Provider) Origins() (origins []string) {
	m := p.discovery.known()
	if m == nil {
		return nil
	}
	for _, address := range []string{m.Authorize, m.Logout} {
		if o := originOf(address); o != "" && !slices.Contains(origins, o) {
			origins = append(origins, o)
		}
	}
	return origins
}

// LogoutURL returns the URL that ends the user's session at the provider, and the kind of logout: cognito, oidc or
// local. A local logout leads to back at once, as does any logout while the provider is unavailable. idToken is a
// hint for RP-initiated logout and may be empty.
func (p *Provider) LogoutURL(ctx context.Context, back, idToken string) (location, kind string) {
	m, err := p.discovery.metadata(ctx)
	if err != nil {
		return back, "local"
	}
	kind = p.cfg.logoutKind(m)
	address, q := m.Logout, url.Values{"client_id": {p.cfg.ClientID}}
	switch kind {
	case "cognito":
		address = cognitoLogout(m)
		q.Set("logout_uri", back)
	case "oidc":
		q.Set("post_logout_redirect_uri", back)
		if idToken != "" {
			q.Set("id_token_hint", idToken)
		}
	}
	if kind == "local" || address == "" {
		return back, "local"
	}
	return withQuery(address, q), kind
}

// logoutKind returns how the user's session at the provider is ended.
func (c Config) logoutKind(m *metadata) string {
	switch {
	case c.Logout != "auto":
		return c.Logout
	case c.Cognito():
		return "cognito"
	case m.Logout != "":
		return "oidc"
	}
	return "local"
}

// keepsIDToken reports whether a session keeps its ID token. RP-initiated logout sends it as a hint. Cognito's logout
// does not use it, which keeps the session record small.
func (c Config) keepsIDToken(m *metadata) bool { return c.logoutKind(m) == "oidc" }

// cognitoLogout returns the address of Cognito's logout endpoint.
func cognitoLogout(m *metadata) string {
	if m.Logout != "" {
		return m.Logout
	}
	return originOf(m.Authorize) + "/logout"
}

func withQuery(address string, q url.Values) string {
	separator := "?"
	if strings.Contains(address, "?") {
		separator = "&"
	}
	return address + separator + q.Encode()
}

// algorithms returns the signature algorithms that are accepted: RS256 for Cognito, and otherwise the asymmetric ones
// that the provider offers. It never includes none or a MAC under the client secret (algorithm confusion, RFC 8725,
// section 3.1).
func (c Config) algorithms(m *metadata) []string {
	if c.Cognito() {
		return []string{oidc.RS256}
	}
	var all []string
	for _, alg := range m.Algorithms {
		if slices.Contains(asymmetric(), alg) {
			all = append(all, alg)
		}
	}
	if len(all) == 0 {
		return []string{oidc.RS256}
	}
	return all
}
