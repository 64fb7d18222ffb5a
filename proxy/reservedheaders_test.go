package proxy

import (
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hubgate/hubgate/internal/inbound"
)

// rewritten returns the values that the origin gets for a client's header.
func rewritten(t *testing.T, name string) bool {
	t.Helper()
	g := &Gate{cfg: testConfig("https://1.sites-proxy.hscoscdn10.net")}
	site := &inbound.Site{Scheme: "https", Host: testHost}
	in := (&http.Request{}).WithContext(inbound.With(t.Context(), &inbound.Facts{ID: "id", Site: site}))
	h := http.Header{name: {"from the client"}}
	g.rewriteRequest(h, in, &exchange{})
	return slices.Equal(h[name], []string{"from the client"})
}

func TestReservedHeadersOfIdentityAreRemoved(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"Remote-User", "Remote-Groups", "Remote-Email", "Remote-Addr", "X-Remote-User", "X-Remote-Group",
		"X-Remote-Extra-Scopes",
		"X-Remote-IP", "X-Remote-Addr", "X-RemoteIP", "X-User", "X-User-Id", "X-Username", "X-UserInfo",
		"X-Authenticated-User",
		"X-Authenticated-Userid", "X-Authenticated-Groups", "X-WEBAUTH-USER", "X-WEBAUTH-ROLE", "X-Auth-User",
		"X-Auth-Username",
		"X-Auth-Email", "X-Auth-Request-Email", "X-Amzn-Oidc-Data", "X-Amzn-Oidc-Identity", "X-Amzn-Mtls-Clientcert",
		"X-Goog-Authenticated-User-Email", "X-Goog-IAP-JWT-Assertion", "X-MS-CLIENT-PRINCIPAL",
		"X-MS-CLIENT-PRINCIPAL-NAME",
		"X-MS-TOKEN-AAD-ID-TOKEN", "Impersonate-User", "X-Impersonate-User", "Tailscale-User-Login", "X-Vouch-User",
		"X-authentik-email",
		"X-Pomerium-Claim-Email", "X-Consumer-Username", "OIDC-CLAIM-email", "OIDC_CLAIM_email", "SM_USER",
		"SM-User", "IV-User",
		"Auth-User", "Logon-User", "Cf-Access-Authenticated-User-Email", "Cf-Access-Jwt-Assertion", "X-Token-Subject",
		"Client-Cert", "Client-Cert-Chain", "X-Client-Cert", "X-Client-Verify", "X-SSL-Client-S-DN",
		"SSL-Client-Cert", "SSL_CLIENT_CERT",
		"Kubeflow-Userid", "Kubeflow-Groups", "Ngrok-Auth-User-Email", "X-Sandstorm-Handle", "X-Replit-User-Id",
		"Ynh-User", "X-Kratos-Authenticated-Identity-Id", "X-Scope-OrgID", "X-CommonAccessToken", "Webauth-User",
		"Affiliation", "Unscoped-Affiliation", "Entitlement", "Persistent-Id", "Targeted-Id", "Mail", "Cn", "Uid",
		"Email", "Groups", "Group", "Roles", "Role", "Principal", "Subject", "Auth-Roles", "Auth-Sub", "Auth-Name",
		"X-Auth-Uid", "X-Auth-Mail", "X-Auth-Claims", "X-Auth-Preferred-Username", "X-Authorized-User",
		"X-Subject-Id", "X-Principal-Name", "X-Role-Name", "X-Login-Name", "X-LoggedIn", "X-Logon-User",
		"X-JWT-User", "X-JWT-Sub", "X-JWT-Email", "X-OAuth-User", "X-MS-Proxy", "X-MS-ADFS-Proxy-Client-IP",
		"SSO-User", "SMUSER", "Proxy-Ssl-Id", "Proxy-Auth-Cert", "X-ClientCert", "X-DN", "X-Acme-User",
		"Acme-User-Id", "X-Acme-Groups", "Acme-Email", "X-Acme-Userid", "X-Acme-Client-Cert",
		"X-SSL-Cert", "X-ARR-ClientCert", "X-TLS-Client-Cert", "MS-ASPNETCORE-CLIENTCERT", "X-Forwarded-Client-Cert",
	} {
		if rewritten(t, name) {
			t.Errorf("%s reaches the origin", name)
		}
	}
}

func TestReservedHeadersOfAddressAreRemoved(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"X-Originating-IP", "X-Azure-ClientIP", "X-Azure-SocketIP", "Client-IP", "ClientIP", "HTTP-Client-IP",
		"WL-Proxy-Client-IP",
		"Proxy-Client-IP", "Real-IP", "X-Real-Port", "X-Realip", "X-ProxyUser-Ip", "X-Custom-IP-Authorization",
		"X-Forwarder-For",
		"X-Forward-For", "Forwarded-For", "True-Client-Ip", "X-True-Client-IP", "X-Envoy-External-Address",
		"X-Appengine-User-IP",
		"Fly-Client-IP", "CloudFront-Viewer-Address", "X-Vercel-Forwarded-For", "X-NF-Client-Connection-IP",
		"Incap-Client-IP",
		"X-Sucuri-ClientIP", "X-Original-Remote-Addr", "X-Source-IP",
		"X-Scheme", "X-Url-Scheme", "Front-End-Https", "X-HTTPS", "X-SSL", "X-SSL-Protocol",
		"CloudFront-Forwarded-Proto", "X-ARR-SSL",
		"X-HTTP-Host-Override", "X-Host", "X-Host-Override", "X-Original-Host", "X-Server-Name", "Disguised-Host",
		"Proxy-Host",
		"X-Original-URI", "X-Rewrite-URL", "X-HTTP-DestinationURL", "X-Override-URL", "Base-Url", "Request-Uri",
		"Script-Name", "Path-Info",
		"X-MS-Forwarded-Client-IP", "Cluster-Client-IP", "Ar-Real-IP", "X-Middleton-IP", "X-Qrator-IP-Source",
		"X-Client-Real-IP", "X-Origin-IP", "X-CDN-IP", "CDN-Client-IP", "Connecting-IP", "Source-IP", "X-Viewer-IP",
		"Ip", "X-Acme-Client-IP", "Acme-Real-IP", "X-Acme-Connecting-IP", "Is-SSL", "X-Client-Proto",
		"X-Client-Scheme", "X-Client-Host", "X-Front-End-Https", "Host-Override", "Scheme", "Proto", "X-Authority",
		"X-Request-Base", "X-Nginx-Proxy", "Method-Override", "X-Method", "Url", "Uri", "Original-URL",
		"Original-Host", "X-Replaced-Path", "X-Ingress-Path", "Server-Name", "Server-Port", "Request-Method",
		"Query-String", "Document-URI", "Unencoded-URL", "XAJP-Remote-User", "X-Acme-Override",
		"X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override", "X-Invoke-Path", "X-Matched-Path",
		"X-Accel-Redirect", "X-Accel-Mapping", "X-Sendfile-Type", "X-Middleware-Subrequest", "X-HubSpot-Client-IP",
	} {
		cgi := strings.ReplaceAll(name, "-", "_")
		for _, spelling := range []string{name, strings.ToUpper(name), strings.ToLower(name), cgi} {
			if rewritten(t, spelling) {
				t.Errorf("%s reaches the origin", spelling)
			}
		}
	}
}

func TestHeadersOfBrowsersPass(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"Accept", "Accept-Language", "Authorization", "Cache-Control", "Content-Type", "Content-Language", "Dnt",
		"From", "Last-Event-Id",
		"Origin", "Priority", "Range", "Referer", "Save-Data", "Sec-Ch-Ua", "Sec-Fetch-Site", "Sec-Gpc",
		"Sec-Websocket-Key", "User-Agent",
		"Via", "X-Requested-With", "X-Csrf-Token", "X-Csrftoken", "X-Xsrf-Token", "X-Auth-Token", "X-Api-Key",
		"X-Access-Token",
		"X-Client-Data", "X-Client-Version", "X-Client-Name", "X-Purpose", "X-Moz", "X-Pjax", "X-Wap-Profile",
		"X-Playback-Session-Id",
		"X-Correlation-Id", "X-Hash", "X-Realm", "X-Online-Host", "X-Origin", "X-Source", "X-Signature",
		"Hx-Request", "Http2-Settings", "Idempotency-Key",
		"Sec-Fetch-User", "Sec-Ch-Ua-Mobile", "If-None-Match", "If-Modified-Since", "If-Range", "X-CSRF-Header",
		"X-XSRF-Token", "X-User-Agent", "Accept-Encoding", "Authorization", "Content-Disposition", "X-Session-Id",
		"B3", "X-B3-Traceid", "X-Datadog-Trace-Id", "Sentry-Trace", "Baggage", "X-Amz-Date", "X-App-Version",
		"X-Device-Id", "X-Timezone", "X-Locale", "X-Tenant-Id", "X-Token", "X-Api-Version", "X-Nonce",
		"Upgrade-Insecure-Requests", "X-" + strings.Repeat("a", 100), strings.Repeat("b", 65),
	} {
		if !rewritten(t, name) {
			t.Errorf("%s is removed", name)
		}
	}
}

func TestReservedHeadersAreSorted(t *testing.T) {
	t.Parallel()
	if !slices.IsSorted(reservedPrefixes) {
		t.Error("the prefixes are not sorted")
	}
	for i := 1; i < len(reservedPrefixes); i++ {
		if strings.HasPrefix(reservedPrefixes[i], reservedPrefixes[i-1]) {
			t.Errorf("%s begins with %s, which suffices", reservedPrefixes[i], reservedPrefixes[i-1])
		}
	}
	for name := range reservedNames {
		for _, ending := range reservedEndings {
			if strings.HasSuffix(name, ending) {
				t.Errorf("%s ends with %s, which suffices", name, ending)
			}
		}
		at, _ := slices.BinarySearch(reservedPrefixes, name)
		if at > 0 && strings.HasPrefix(name, reservedPrefixes[at-1]) {
			t.Errorf("%s begins with %s, which suffices", name, reservedPrefixes[at-1])
		}
	}
}

func TestReservedHeadersAreDocumented(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../docs/http.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(raw), "| what they claim | names |")
	table, _, end := strings.Cut(table, "\n\n")
	if !found || !end {
		t.Fatal("docs/http.md has lost its table of removed headers")
	}
	var documented, removed []string
	for _, word := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(table, -1) {
		documented = append(documented, strings.ToLower(word[1]))
	}
	for _, prefix := range reservedPrefixes {
		removed = append(removed, prefix+"*")
	}
	for name := range reservedNames {
		removed = append(removed, name)
	}
	for _, ending := range reservedEndings {
		removed = append(removed, "*"+ending)
	}
	slices.Sort(documented)
	slices.Sort(removed)
	if diff := cmp.Diff(removed, documented); diff != "" {
		t.Errorf("docs/http.md: -code +document\n%s", diff)
	}
}
