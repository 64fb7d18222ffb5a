package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestSecretsAndEmailsDoNotLeak puts a different secret wherever a gateway receives one. It logs visitors
// in and out, makes every server around the gateway fail with errors that repeat the request, and then searches
// everything that was written for the secrets.
func TestSecretsAndEmailsDoNotLeak(t *testing.T) {
	t.Parallel()
	c := newCanary(t)
	c.journey()
	c.failingLogins()
	c.failingHubSpot()
	c.oddRequests()
	c.operators()
	c.outputs["redis before the outage"] = c.dumpRedis()
	c.badReload()
	c.redisOutage()
	if code := c.gateway.terminate(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	c.checkPlanted()
	c.checkLeaks()
}

// journey logs in, opens the own pages, submits forms, refreshes with and without success, logs out, and has a session
// ended by the provider.
func (c *canary) journey() {
	v := c.visitor()
	got := c.visit(v, "/members/doc")
	if got.StatusCode != http.StatusOK || !strings.HasPrefix(got.Request.URL.String(), c.url+"/members/doc") {
		c.t.Fatalf("the login ended with %d at %s\n%s", got.StatusCode, got.Request.URL, got.body)
	}
	for _, own := range []string{"/oauth2/session", "/oauth2/userinfo", "/partners/x"} {
		if got := c.visit(v, own); !strings.Contains(got.body, c.email()) {
			c.t.Errorf("%s does not show the e-mail address: %d\n%s", own, got.StatusCode, got.body)
		}
	}
	form := url.Values{"password": {c.planted["password"]}, "x": {c.planted["form"]}}
	for _, who := range []*visitor{v, c.visitor()} {
		for _, page := range []string{
			"/members/form", "/public/form", "/oauth2/start", "/oauth2/sign_out?x=1", "/oauth2/backchannel_logout",
		} {
			who.do(http.MethodPost, c.url+page, form)
		}
	}
	v = c.visitor()
	c.visit(v, "/members/doc")
	for _, status := range []int{500, 401, 0} { // the provider fails, then works
		c.idp.fail("/token", status)
		c.refresh(v)
	}
	c.idp.fail("/revoke", 500)
	c.visit(v, "/oauth2/session")
	v.submit(c.visit(v, "/oauth2/session"), "sign_out", nil)
	c.idp.fail("/revoke", 0)
	v = c.visitor()
	c.visit(v, "/members/doc")
	c.idp.fail("/token", 400)
	eventually(c.t, "the provider ends a session", func() bool {
		c.visit(v, "/members/doc")
		return strings.Contains(c.gateway.out.String(), `"reason":"refresh_denied"`)
	})
	c.idp.fail("/token", 0)
}

// refresh opens pages until the gateway tries to refresh the session once more.
func (c *canary) refresh(v *visitor) {
	before := strings.Count(c.idp.String(), "grant_type=refresh_token")
	c.redis.cli("EVAL", forgetBackoff, "0")
	eventually(c.t, "a refresh", func() bool {
		c.visit(v, "/members/doc")
		return strings.Count(c.idp.String(), "grant_type=refresh_token") > before
	})
}

// forgetBackoff ends the back-off after a failed refresh.
const forgetBackoff = `for _, k in ipairs(redis.call("KEYS", "hubgate:l:*")) do redis.call("DEL", k) end return 0`

// failingLogins has logins fail at each step.
func (c *canary) failingLogins() {
	answers := c.answers
	c.answers = c.failures
	defer func() { c.answers = answers }()
	for _, path := range []string{"/token", "/userinfo"} {
		for _, status := range []int{400, 401, 500} {
			c.idp.fail(path, status)
			if got := c.visit(c.visitor(), "/members/doc"); got.StatusCode < 400 {
				c.t.Errorf("%s answers %d, but the login ends with %d at %s",
					path, status, got.StatusCode, got.Request.URL)
			}
		}
		c.idp.fail(path, 0)
	}
	description := c.planted["description"] + "+failed+with+error+" + c.email()
	for _, code := range []string{
		"access_denied", "server_error", "invalid_request", "unauthorized_client", c.planted["errorcode"],
	} {
		c.idp.refuseWith("error=" + code + "&error_description=" + description)
		if got := c.visit(c.visitor(), "/members/doc"); got.StatusCode < 400 {
			c.t.Errorf("error %s ends with %d", code, got.StatusCode)
		}
	}
	c.idp.refuseWith("")
	for _, query := range []string{"state=" + c.planted["query"] + "&code=" + c.planted["errorcode"],
		"error=" + c.planted["errorcode"], "code=a&code=b", ""} {
		c.visitor().open(c.url + "/oauth2/callback?" + query)
	}
}

// failingHubSpot has contacts rejected and throttled.
func (c *canary) failingHubSpot() {
	paths := []string{upsertPath, "/crm/objects/2026-09/contacts/batch/read",
		"/submissions/v3/integration/submit/4711/11111111-2222-3333-4444-555555555555"}
	upserts := func() int { return strings.Count(c.api.String(), "POST "+upsertPath) }
	for _, status := range []int{400, 401, 403, 429, 500} {
		for _, path := range paths {
			c.api.fail(path, status)
		}
		before := upserts()
		c.visit(c.visitor(), "/members/doc")
		c.redis.cli("EVAL", forgetPause, "0")
		eventually(c.t, fmt.Sprintf("HubSpot answers %d to a contact", status), func() bool { return upserts() > before })
		c.outputs["/readyz"] += c.gateway.text("/readyz")
	}
	for _, path := range paths {
		c.api.fail(path, 0)
	}
}

// forgetPause ends the pause of the queue after a rejected contact.
const forgetPause = `for _, k in ipairs(redis.call("KEYS", "hubgate:{crm}:*")) do
	if string.find(k, "pause") then redis.call("DEL", k) end
end return 0`

// oddRequests sends requests that no browser sends.
func (c *canary) oddRequests() {
	header, cookie, token := c.planted["badheader"], c.planted["badcookie"], "?token="+c.planted["query"]
	const host, last = " HTTP/1.1\r\nHost: HOST\r\n", " HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n"
	for _, request := range []string{
		"GET /members/" + host + "X-Bad: " + header + "\x00\r\n\r\n",
		"GET /members/" + host + "X Bad: " + header + "\r\n\r\n",
		"GET /members/" + last + "Cookie: hubgate=" + cookie + "; hubgate-login-aaaaaaaa=" + cookie + "\r\n\r\n",
		"GET /%zz" + token + last + "Authorization: " + header + "\r\n\r\n",
		"GET /a//b" + token + strings.Replace(last, "HOST", "elsewhere.example", 1) + "Traceparent: " + header + "\r\n\r\n",
		"POST /members/" + host + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\nX-Bad: " + header + "\r\n\r\n0\r\n\r\n",
		"GET http://HOST/members/" + token + last + "Referer: /?" + header + "\r\n\r\n",
		"POST /public" + last + "Content-Length: 500\r\n\r\npassword=" + c.planted["password"] + strings.Repeat("x", 500),
	} {
		c.raw(request)
	}
	c.visit(c.visitor(), "/broken")
}

// operators reads everything that an operator may read, over HTTP and by command.
func (c *canary) operators() {
	token, file := c.planted["admintoken"], c.gateway.file
	for _, path := range []string{"/config", "/readyz", "/readyz?strict=1", "/version", "/metrics", "/api/contacts",
		"/debug/pprof/goroutine?debug=2", "/debug/pprof/cmdline"} {
		for _, t := range []string{token, "", c.planted["query"]} {
			_, answer := c.gateway.request("GET", path, "", t)
			c.outputs[path] += answer
		}
	}
	c.outputs["/metrics as OpenMetrics"] = c.gateway.openMetrics()
	for _, path := range []string{
		"/api/sessions", "/api/contacts/dead", "/api/contacts/queue", "/api/sessions?user=" + c.email(),
	} {
		if status, answer := c.gateway.request("GET", path, "", token); status != http.StatusOK {
			c.t.Errorf("%s: %d", path, status)
		} else {
			c.outputs["operators "+path] += answer // with e-mail addresses, as documented
		}
	}
	c.command("check", "check", "--config", file)
	c.command("check --live", "check", "--config", file, "--live")
	c.command("explain", "explain", "--config", file, c.url+"/members/x?token=1")
	c.command("pages", "pages", "--config", file)
	c.command("contacts status", "contacts", "status", "--config", file)
	c.command("version", "version")
}

// badReload installs a file with a mistake at every secret.
func (c *canary) badReload() {
	g, valid := c.gateway, c.gateway.config
	bad := write(c.t, "bad.yaml", c.invalid().String())
	unclosed := strings.Replace(valid.String(), c.planted["clientsecret"], `"`+c.planted["badfile"], 1)
	for _, file := range []string{bad, write(c.t, "unclosed.yaml", unclosed)} {
		c.command("check of a bad file", "check", "--config", file)
		c.command("diff with a bad file", "diff", g.file, file)
		c.command("explain with a bad file", "explain", "--config", file, c.url+"/")
	}
	g.set(c.invalid())
	g.waitFor(`"action":"reload","outcome":"refused"`)
	for _, path := range []string{"/config", "/readyz"} {
		_, answer := g.request("GET", path, "", c.planted["admintoken"])
		c.outputs[path+" after a bad file"] = answer
	}
	overwrite(c.t, g.file, valid.String())
	g.waitFor(`configuration unchanged`)
}

// redisOutage has Redis reject the password, and then exit, while visitors open pages.
func (c *canary) redisOutage() {
	v := c.visitor()
	c.visit(v, "/members/doc")
	c.redis.cli("CONFIG", "SET", "requirepass", "another")
	c.redis.password = "another"
	for _, kind := range []string{"normal", "pubsub"} {
		c.redis.cli("CLIENT", "KILL", "TYPE", kind)
	}
	for range 2 {
		for _, who := range []*visitor{v, c.visitor()} {
			for _, page := range []string{"/members/doc", "/oauth2/userinfo", "/oauth2/session"} {
				c.visit(who, page)
			}
		}
		c.outputs["/readyz without Redis"] += c.gateway.text("/readyz")
		c.outputs["/metrics without Redis"] = c.gateway.openMetrics()
		c.redis.kill()
	}
}
