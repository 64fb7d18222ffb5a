package e2e

import (
	"sync"
	"testing"
)

// Every handler on both listeners answers at once if it does not need the announced body. The connection is closed a
// few seconds later if the body does not come.
func TestEarlyResponsesDoNotWaitForTheBody(t *testing.T) {
	t.Parallel()
	g := newSite(t, options{}).serve()
	site, admin := localhost(g.port), local(g.admin)
	var all sync.WaitGroup
	for _, c := range []struct{ at, request, status string }{
		{site, "POST /oauth2/start", "405"},
		{site, "POST /oauth2/callback", "405"},
		{site, "POST /oauth2/session", "405"},
		{site, "POST /oauth2/userinfo", "405"},
		{site, "DELETE /oauth2/sign_out", "405"},
		{site, "POST /oauth2/backchannel_logout", "404"},
		{site, "POST /oauth2/nothing", "404"},
		{site, "POST /oauth2/auth", "405"},
		{site, "POST /oauth2/test", "405"},
		{site, "GET /oauth2/start", "302"},
		{site, "GET /oauth2/callback", "400"},
		{site, "GET /oauth2/signed_out", "200"},
		{site, "HEAD /oauth2/userinfo", "401"},
		{site, "POST /members/x", "401"},
		{site, "PUT /members/x", "401"},
		{site, "POST /%2e%2e/x", "400"},
		{site, "TRACE /", "405"},
		{"other.example", "POST /", "421"},
		{admin, "POST /livez", "404"},
		{admin, "POST /nothing", "404"},
		{admin, "GET /readyz", "200"},
		{admin, "GET /version", "200"},
		{admin, "POST /api/contacts/replay", "401"},
		{admin, "DELETE /api/sessions?user=x", "401"},
	} {
		for _, announced := range []string{"Content-Length: 1000", "Content-Length: 1", "Transfer-Encoding: chunked",
			"Content-Length: 1000\r\nExpect: 100-continue"} {
			all.Go(func() { // each connection lasts for seconds
				to := c.at
				if to == "other.example" {
					to = site
				}
				answer, closed := sendRaw(t, to,
					c.request+" HTTP/1.1\r\nHost: "+c.at+"\r\nAccept: text/html\r\n"+announced+"\r\n\r\n")
				if statusOf(answer) != c.status || !closed {
					t.Errorf("%s, %q: %q, closed %v; want %s", c.request, announced, statusOf(answer), closed, c.status)
				}
			})
		}
	}
	all.Wait()
}
