package schema

import (
	"slices"

	"github.com/hubgate/hubgate/internal/setting"
)

func authKeys() []Key {
	return slices.Concat(providerKeys(), protocolKeys(), userKeys(), endpointKeys())
}

// providerKeys are the keys about the provider and the client there.
func providerKeys() []Key {
	return []Key{
		{Path: "auth", Text: "the login provider, and hubgate's client there", Required: true},
		{
			Path: "auth.user_pool", Shown: "REPLACE_REGION_AND_POOL", Examples: []string{"eu-west-1_AbCdEf123"},
			Text: "Cognito's user pool; for any other provider set `issuer` instead",
		},
		{
			Path: "auth.issuer", Examples: []string{"https://login.example.com/realms/site"},
			Text: "instead of `user_pool`: the issuer URL, exactly as the provider spells it",
		},
		{
			Path: "auth.client_id", Required: true, Shown: "REPLACE_CLIENT_ID", Text: "ID of the app client at the provider",
			Examples: []string{"4h57kexampleclientid"},
		},
		{
			Path: "auth.client_secret", Shown: "REPLACE_CLIENT_SECRET", Examples: []string{"${COGNITO_CLIENT_SECRET}"},
			Text: "secret of the app client; required unless `client_auth` is none",
		},
		{
			Path: "auth.client_auth", Words: []string{"header", "body", setting.None},
			Text: "how the secret is sent to the token endpoint",
		},
		{
			Path: "auth.scopes", Examples: []string{"[openid, email, profile, phone]"},
			Text: "`openid` is required; without `email`, no contacts are created",
		},
		{
			Path: "auth.prefix", Examples: []string{"/portal-login"},
			Text: "path prefix of the gateway's own endpoints, on every public host",
		},
	}
}

// protocolKeys are the keys about the protocol between hubgate and the provider.
func protocolKeys() []Key {
	return []Key{
		{
			Path: "auth.logout", Words: []string{"auto", "cognito", "oidc", "local"},
			Text: "how a logout ends the provider's session",
			More: "`local` does not end it; `auto` depends on the provider.",
		},
		{
			Path: "auth.authorize_params", Examples: []string{"{lang: de, identity_provider: Google}"},
			Text: "extra parameters of the authorization request", Entry: "value of this parameter",
			More: "Not those that the protocol sets.",
		},
		{
			Path: "auth.refresh_grace", Examples: []string{"4h"},
			Text: "how long expired access tokens count while the provider is down; or none",
		},
		{
			Path: "auth.backchannel_logout",
			Text: "accept logout tokens of the provider; not for Cognito",
		},
		{
			Path: "auth.clock_skew", Examples: []string{"0s"},
			Text: "accepted difference between the provider's clock and ours: 0s to 60s",
		},
	}
}

// userKeys are the keys about users: their claims and groups, and their requests.
func userKeys() []Key {
	return []Key{
		{
			Path: "auth.groups_claim", Examples: []string{"groups", "realm_access.roles"},
			Text: "claim with the groups; elsewhere often `groups`, or `realm_access.roles`",
		},
		{
			Path: "auth.after_logout", Examples: []string{"/goodbye"},
			Text: "path that the signed-out page links to",
		},
		{
			Path: "auth.admin_groups", Examples: []string{"[operators]"},
			Text: "groups that may open the test page, `/oauth2/test`",
		},
		{
			Path: "auth.claims_from_userinfo",
			Text: "also call the UserInfo endpoint and merge its claims",
		},
		{
			Path: "auth.login_rate", Examples: []string{setting.None},
			Text: "login attempts per client address, or none; more get a 429",
			More: "IPv6 counts per /64.",
		},
		{Path: "auth.login_rate.requests", Text: "number of attempts", Examples: []string{"30"}},
		{Path: "auth.login_rate.per", Text: "time span in which attempts count", Examples: []string{"1m"}},
		{
			Path: "auth.forward_auth", Words: []string{"query", "headers"},
			Text: "how other servers call `/oauth2/auth`; nginx uses `query`",
			More: "Traefik and Caddy use `headers`.",
		},
	}
}

func endpointKeys() []Key {
	return []Key{
		{Path: "auth.endpoints", Text: "only for providers without discovery"},
		{
			Path: "auth.endpoints.authorize", Text: "authorization endpoint",
			Examples: []string{"https://login.example.com/authorize"},
		},
		{Path: "auth.endpoints.token", Text: "token endpoint", Examples: []string{"https://login.example.com/token"}},
		{
			Path: "auth.endpoints.userinfo", Text: "UserInfo endpoint, for `claims_from_userinfo`",
			Examples: []string{"https://login.example.com/userinfo"},
		},
		{Path: "auth.endpoints.jwks", Text: "the provider's keys", Examples: []string{"https://login.example.com/jwks"}},
		{
			Path: "auth.endpoints.logout", Text: "end-session endpoint (RP-initiated logout)",
			Examples: []string{"https://login.example.com/logout"},
		},
		{
			Path: "auth.endpoints.revoke", Text: "revocation endpoint for refresh tokens",
			Examples: []string{"https://login.example.com/revoke"},
		},
	}
}
