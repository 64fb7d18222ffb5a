package proxy

import (
	"slices"
	"strings"
)

// Header names by which some server, proxy or framework learns who a request comes from, over which scheme, and for
// which host, page or method. HubSpot trusts some of them, servers like it trust others; a client may send none
// (header spoofing, CWE-290, CWE-348). Credentials that prove themselves (Authorization, Cookie, tokens of the
// site's own scripts) are not among them. docs/http.md lists them by meaning; a test holds the two together.
var (
	// reservedPrefixes are sorted, and none begins with another: isReserved finds the only candidate by binary search.
	reservedPrefixes = []string{
		"akamai-", "ali-", "auth-group", "auth-user", "cf-", "client-cert", "cloudfront-", "eo-", "fastly-",
		"fly-", "forward", "front-end-", "gap-", "http-", "impersonate-", "incap-", "iv-", "l5d-", "mellon-",
		"ms-aspnetcore-", "oam-", "oidc-", "proxy-client-", "remote-", "saml-", "shib-", "sm-", "ssl-",
		"tailscale-", "teleport-", "tls-", "true-client-", "wl-proxy-", "x-accel-", "x-akamai-", "x-ali-",
		"x-amzn-", "x-apigateway-", "x-apigw-", "x-appengine-", "x-appservice-", "x-arr-", "x-auth-group",
		"x-auth-request-", "x-auth-role", "x-auth-user", "x-authelia-", "x-authenticated", "x-authentik-",
		"x-azure-", "x-bluecoat-", "x-cert", "x-cf-", "x-claim-", "x-claims", "x-client-addr", "x-client-cert",
		"x-client-ip", "x-client-remote", "x-client-s-dn", "x-client-ssl-", "x-client-tls-", "x-client-verify",
		"x-cluster-", "x-consumer-", "x-credential-", "x-custom-ip-", "x-edge-", "x-endpoint-api-", "x-envoy-",
		"x-fd-", "x-forward", "x-gateway-", "x-goog-authenticated-", "x-goog-iap-", "x-haproxy-", "x-host",
		"x-hs-", "x-http-", "x-hubspot-", "x-impersonate", "x-internal", "x-invoke-", "x-ip-", "x-istio-",
		"x-jwt-claim", "x-kong-", "x-ldap-", "x-lighttpd-", "x-litespeed-", "x-logged-in", "x-method-",
		"x-middleware-", "x-ms-client-principal", "x-ms-token-", "x-mtls-", "x-netlify-", "x-nf-", "x-oauth2-",
		"x-oidc-", "x-original", "x-originating-", "x-override-", "x-peer-", "x-pomerium-", "x-prerender-",
		"x-proxy-", "x-proxyuser-", "x-real-", "x-remote", "x-reproxy-", "x-rewrite", "x-saml-", "x-scheme-",
		"x-sendfile", "x-shib-", "x-siteminder-", "x-sp-forwarded-", "x-spiffe-", "x-ssl", "x-sso-",
		"x-sucuri-", "x-tailscale-", "x-tls-", "x-token-claim", "x-token-group", "x-token-sub", "x-token-user",
		"x-true-", "x-trusted", "x-up-", "x-url-", "x-user", "x-vercel-", "x-vouch-", "x-waws-", "x-webauth",
		"x-weblogic-",
	}
	reservedNames = map[string]bool{
		"auth-email": true, "auth-type": true, "base-url": true, "cdn-real-ip": true, "cdn-src-ip": true,
		"client-ip": true, "clientip": true, "coming-from": true, "disguised-host": true,
		"do-connecting-ip": true, "eppn": true, "https": true, "logon-user": true, "msisdn": true,
		"path-info": true, "proxy": true, "proxy-host": true, "proxy-url": true, "real-ip": true,
		"request-uri": true, "script-name": true, "te": true, "traceparent": true, "tracestate": true,
		"user": true, "user-email": true, "user-id": true, "user-name": true, "username": true,
		"was-default-hostname": true, "x-account-id": true, "x-admin": true, "x-anonymous-consumer": true,
		"x-auth-email": true, "x-auth-id": true, "x-auth-name": true, "x-auth-principal": true,
		"x-auth-sub": true, "x-auth-subject": true, "x-base-url": true, "x-cdn-src-ip": true,
		"x-client-dn": true, "x-client-port": true, "x-clientip": true, "x-coming-from": true,
		"x-context-path": true, "x-email": true, "x-end-user-ip": true, "x-group": true, "x-groups": true,
		"x-https": true, "x-identity": true, "x-ip": true, "x-jwt-assertion": true, "x-jwt-payload": true,
		"x-login": true, "x-mail": true, "x-matched-path": true, "x-msisdn": true, "x-on-behalf-of": true,
		"x-path-info": true, "x-port": true, "x-principal": true, "x-proto": true, "x-protocol": true,
		"x-proxy": true, "x-realip": true, "x-request-host": true, "x-request-id": true, "x-request-ip": true,
		"x-request-method": true, "x-request-path": true, "x-request-scheme": true, "x-request-uri": true,
		"x-request-url": true, "x-role": true, "x-roles": true, "x-scheme": true, "x-script-name": true,
		"x-server-name": true, "x-server-port": true, "x-source-ip": true, "x-sourceip": true,
		"x-src-ip": true, "x-sub": true, "x-subject": true, "x-token-email": true, "x-uri": true,
		"x-url": true, "x-visitor-ip": true, "xff": true,
	}
)

// isReserved reports whether a client's request header must not reach the origin. A name with anything but letters,
// digits and hyphens never does: CGI-like servers read X_Forwarded_For as X-Forwarded-For.
func isReserved(name string) bool {
	var room [64]byte // longer than every reserved name and prefix
	lower := room[:0]
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-':
		case 'A' <= c && c <= 'Z':
			c |= 0x20
		default:
			return true
		}
		if i < len(room) {
			lower = append(lower, c)
		}
	}
	if len(name) <= len(room) && reservedNames[string(lower)] {
		return true
	}
	at, exact := slices.BinarySearch(reservedPrefixes, string(lower))
	return exact || at > 0 && strings.HasPrefix(string(lower), reservedPrefixes[at-1])
}
