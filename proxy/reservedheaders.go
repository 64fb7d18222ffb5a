package proxy

import (
	"slices"
	"strings"
)

// Names of headers from which some server, proxy or framework learns who sent a request, over which scheme, or for
// which host, page or method. HubSpot trusts some of them, similar servers trust others; a client may send none (header
// spoofing, CWE-290, CWE-348). Credentials that are verified (Authorization, Cookie, tokens of the site's own scripts)
// are not among them. docs/http.md lists them by meaning; a test compares both.
var (
	// reservedPrefixes are sorted, and none is a prefix of another, so that isReserved can use binary search.
	reservedPrefixes = []string{
		"akamai-", "ali-", "auth-group", "auth-role", "auth-user", "cf-", "client-cert", "cloudfront-", "document-",
		"eo-", "fastly-", "fly-", "forward", "front-end-", "gap-", "http-", "impersonate-", "incap-", "iv-",
		"kubeflow-", "l5d-", "mellon-", "ms-aspnetcore-", "ngrok-auth-", "oam-", "oidc-", "proxy-auth-cert",
		"proxy-client-", "proxy-ssl-", "remote-", "saml-", "shib-", "sm-", "ssl-", "sso-user", "tailscale-",
		"teleport-", "tls-", "true-client-", "webauth-", "wl-proxy-", "x-accel-", "x-akamai-", "x-ali-", "x-amzn-",
		"x-apigateway-", "x-apigw-", "x-appengine-", "x-appservice-", "x-arr-", "x-auth-claim", "x-auth-group",
		"x-auth-preferred-", "x-auth-request-", "x-auth-role", "x-auth-user", "x-authelia-", "x-authenticated",
		"x-authentik-", "x-authorized-", "x-azure-", "x-bluecoat-", "x-cert", "x-cf-", "x-claim-", "x-claims",
		"x-client-addr", "x-client-cert", "x-client-ip", "x-client-remote", "x-client-s-dn", "x-client-ssl-",
		"x-client-tls-", "x-client-verify", "x-clientcert", "x-cluster-", "x-consumer-", "x-credential-",
		"x-custom-ip-", "x-edge-", "x-endpoint-api-", "x-envoy-", "x-fd-", "x-forward", "x-front-end-", "x-gateway-",
		"x-goog-authenticated-", "x-goog-iap-", "x-haproxy-", "x-host", "x-hs-", "x-http-", "x-hubspot-",
		"x-impersonate", "x-ingress-", "x-internal", "x-invoke-", "x-ip-", "x-istio-", "x-jwt-claim", "x-jwt-email",
		"x-jwt-sub", "x-jwt-user", "x-kong-", "x-kratos-", "x-ldap-", "x-lighttpd-", "x-litespeed-", "x-logged-in",
		"x-loggedin", "x-login-", "x-logon-", "x-method-", "x-middleton-", "x-middleware-", "x-ms-adfs-",
		"x-ms-client-principal", "x-ms-forwarded-", "x-ms-token-", "x-mtls-", "x-netlify-", "x-nf-", "x-oauth-user",
		"x-oauth2-", "x-oidc-", "x-original", "x-originating-", "x-ory-", "x-override-", "x-peer-", "x-pomerium-",
		"x-prerender-", "x-principal-", "x-proxy-", "x-proxyuser-", "x-qrator-", "x-real-", "x-remote", "x-replaced-",
		"x-replit-", "x-reproxy-", "x-rewrite", "x-role-", "x-saml-", "x-sandstorm-", "x-scheme-", "x-sendfile",
		"x-shib-", "x-siteminder-", "x-sp-forwarded-", "x-spiffe-", "x-ssl", "x-sso-", "x-subject-", "x-sucuri-",
		"x-tailscale-", "x-tls-", "x-token-claim", "x-token-group", "x-token-sub", "x-token-user", "x-true-",
		"x-trusted", "x-up-", "x-url-", "x-user", "x-vercel-", "x-vouch-", "x-waws-", "x-webauth", "x-weblogic-",
		"xajp-", "ynh-",
	}
	reservedNames = map[string]bool{
		"affiliation": true, "auth-name": true, "auth-sub": true, "auth-type": true, "base-url": true,
		"cdn-src-ip": true, "client-ip": true, "clientip": true, "cn": true, "coming-from": true,
		"connecting-ip": true, "disguised-host": true, "eduperson": true, "email": true, "entitlement": true,
		"eppn": true, "group": true, "groups": true, "https": true, "ip": true, "is-ssl": true, "mail": true,
		"msisdn": true, "original-host": true, "original-uri": true, "original-url": true, "path-info": true,
		"persistent-id": true, "principal": true, "proto": true, "proxy": true, "proxy-host": true, "proxy-url": true,
		"query-string": true, "real-ip": true, "request-method": true, "request-uri": true, "role": true,
		"roles": true, "scheme": true, "script-name": true, "server-name": true, "server-port": true, "smuser": true,
		"source-ip": true, "subject": true, "targeted-id": true, "te": true, "traceparent": true, "tracestate": true,
		"uid": true, "unencoded-url": true, "unscoped-affiliation": true, "upn": true, "uri": true, "url": true,
		"user": true, "user-id": true, "user-name": true, "username": true, "was-default-hostname": true,
		"x-account-id": true, "x-admin": true, "x-anonymous-consumer": true, "x-auth-id": true, "x-auth-mail": true,
		"x-auth-name": true, "x-auth-sub": true, "x-auth-uid": true, "x-authority": true, "x-base-url": true,
		"x-cdn-ip": true, "x-cdn-src-ip": true, "x-client-host": true, "x-client-port": true, "x-client-proto": true,
		"x-client-scheme": true, "x-cn": true, "x-coming-from": true, "x-commonaccesstoken": true,
		"x-context-path": true, "x-dn": true, "x-end-user-ip": true, "x-group": true, "x-https": true,
		"x-identity": true, "x-ip": true, "x-jwt-assertion": true, "x-jwt-payload": true, "x-login": true,
		"x-mail": true, "x-matched-path": true, "x-method": true, "x-ms-proxy": true, "x-msisdn": true,
		"x-nginx-proxy": true, "x-on-behalf-of": true, "x-origin-ip": true, "x-path-info": true, "x-port": true,
		"x-proto": true, "x-protocol": true, "x-proxy": true, "x-query-string": true, "x-request-base": true,
		"x-request-host": true, "x-request-id": true, "x-request-ip": true, "x-request-method": true,
		"x-request-path": true, "x-request-scheme": true, "x-request-uri": true, "x-request-url": true,
		"x-role": true, "x-scheme": true, "x-scope-orgid": true, "x-script-name": true, "x-server-name": true,
		"x-server-port": true, "x-sourceip": true, "x-src-ip": true, "x-sub": true, "x-uid": true, "x-upn": true,
		"x-uri": true, "x-url": true, "x-visitor-ip": true, "xff": true,
	}
	// reservedEndings are suffixes of such names, which begin with the name of a product or company.
	reservedEndings = []string{
		"-client-cert", "-client-dn", "-client-ip", "-clientcert", "-clientip", "-connecting-ip", "-email",
		"-forwarded-for", "-forwarded-host", "-forwarded-proto", "-groups", "-original-uri", "-original-url",
		"-override", "-principal", "-real-ip", "-realip", "-remote-addr", "-remote-ip", "-rewrite-url", "-roles",
		"-source-ip", "-subject", "-user", "-user-id", "-user-name", "-user-role", "-useremail", "-userid",
		"-username", "-viewer-ip",
	}
)

// isReserved reports whether a client's header must not reach the origin. That includes all names with characters other
// than letters, digits and hyphens: CGI servers read X_Forwarded_For as X-Forwarded-For.
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
	if strings.HasPrefix(string(lower), "sec-") || string(lower) == "x-user-agent" {
		return false // Sec-Fetch-User is the browser's; X-User-Agent names a program (gRPC-Web)
	}
	if len(name) <= len(room) && reservedNames[string(lower)] {
		return true
	}
	at, exact := slices.BinarySearch(reservedPrefixes, string(lower))
	if exact || at > 0 && strings.HasPrefix(string(lower), reservedPrefixes[at-1]) {
		return true
	}
	for _, ending := range reservedEndings {
		if n := len(name) - len(ending); n >= 0 && strings.EqualFold(name[n:], ending) {
			return true
		}
	}
	return false
}
