package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestNoSecretAndNoEMailLeavesItsPlace plants a secret of its own in every place where a gateway meets one, lives through a visitor's whole
// life and every fault of the parts around it, each of which answers with all that it was asked, and looks through everything that was
// written.
func TestNoSecretAndNoEMailLeavesItsPlace(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.aWholeLife()
	h.failingLogins()
	h.failingHubSpot()
	h.oddRequests()
	h.operators()
	h.outputs["redis before the outage"] = h.dumpRedis()
	h.badReload()
	h.redisOutage()
	if code := h.gateway.terminate(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	h.everythingWentThrough()
	h.nothingLeaked()
}

// aWholeLife is a login, the own pages, forms, refreshes that fail and work, a logout, and a session that the provider ends.
func (h *house) aWholeLife() {
	v := h.visitor()
	if got := h.visit(v, "/members/doc"); got.StatusCode != http.StatusOK || !strings.HasPrefix(got.Request.URL.String(), h.world.site()+"/members/doc") {
		h.t.Fatalf("the login ended with %d at %s\n%s", got.StatusCode, got.Request.URL, got.body)
	}
	for _, own := range []string{"/oauth2/session", "/oauth2/userinfo", "/partners/x"} {
		if got := h.visit(v, own); !strings.Contains(got.body, h.email()) {
			h.t.Errorf("%s does not tell visitors who they are: %d\n%s", own, got.StatusCode, got.body)
		}
	}
	form := url.Values{"password": {h.planted["password"]}, "x": {h.planted["form"]}}
	for _, who := range []*visitor{v, h.visitor()} {
		for _, page := range []string{"/members/form", "/public/form", "/oauth2/start", "/oauth2/sign_out?x=1", "/oauth2/backchannel_logout"} {
			who.do(http.MethodPost, h.world.site()+page, form)
		}
	}
	v = h.visitor()
	h.visit(v, "/members/doc")
	for _, status := range []int{500, 401, 0} { // the fake refuses, then refreshes
		h.provider.fail("/token", status)
		h.refreshed(v)
	}
	h.provider.fail("/revoke", 500)
	h.visit(v, "/oauth2/session")
	v.submit(h.visit(v, "/oauth2/session"), "sign_out", nil)
	h.provider.fail("/revoke", 0)
	v = h.visitor()
	h.visit(v, "/members/doc")
	h.provider.fail("/token", 400)
	eventually(h.t, "the provider ends a session", func() bool {
		h.visit(v, "/members/doc")
		return strings.Contains(h.gateway.out.String(), `"reason":"refresh_denied"`)
	})
	h.provider.fail("/token", 0)
}

// refreshed visits until the session was to be refreshed once more.
func (h *house) refreshed(v *visitor) {
	before := strings.Count(h.provider.String(), "grant_type=refresh_token")
	redisCLI(h.t, h.redisPort, "-a", h.planted["redispassword"], "--no-auth-warning", "EVAL", forgetBackoff, "0")
	eventually(h.t, "a refresh", func() bool {
		h.visit(v, "/members/doc")
		return strings.Count(h.provider.String(), "grant_type=refresh_token") > before
	})
}

// forgetBackoff ends the rest that a refresh takes after a fault: nobody wants to wait for it here.
const forgetBackoff = `for _, k in ipairs(redis.call("KEYS", "hubgate:l:*")) do redis.call("DEL", k) end return 0`

// failingLogins are logins that fail at each step, with errors that hold what was sent.
func (h *house) failingLogins() {
	own := h.pages
	h.pages = h.failures
	defer func() { h.pages = own }()
	for _, path := range []string{"/token", "/userinfo"} {
		for _, status := range []int{400, 401, 500} {
			h.provider.fail(path, status)
			if got := h.visit(h.visitor(), "/members/doc"); got.StatusCode < 400 {
				h.t.Errorf("%s answers %d, and the login %d at %s", path, status, got.StatusCode, got.Request.URL)
			}
		}
		h.provider.fail(path, 0)
	}
	for _, code := range []string{"access_denied", "server_error", "invalid_request", "unauthorized_client", h.planted["errorcode"]} {
		h.provider.refuseWith("error=" + code + "&error_description=" + h.planted["description"] + "+failed+with+error+" + h.email())
		if got := h.visit(h.visitor(), "/members/doc"); got.StatusCode < 400 {
			h.t.Errorf("error %s ends with %d", code, got.StatusCode)
		}
	}
	h.provider.refuseWith("")
	for _, query := range []string{"state=" + h.planted["query"] + "&code=" + h.planted["errorcode"], "error=" + h.planted["errorcode"], "code=a&code=b", ""} {
		h.visitor().open(h.world.site() + "/oauth2/callback?" + query)
	}
}

// failingHubSpot has contacts refused and throttled, with answers that hold the token and the address.
func (h *house) failingHubSpot() {
	form := "/submissions/v3/integration/submit/4711/11111111-2222-3333-4444-555555555555"
	for _, status := range []int{400, 401, 403, 429, 500} {
		for _, path := range []string{upsertPath, form, "/crm/objects/2026-09/contacts/batch/read"} {
			h.api.fail(path, status)
		}
		before := strings.Count(h.api.String(), "POST "+upsertPath)
		h.visit(h.visitor(), "/members/doc")
		redisCLI(h.t, h.redisPort, "-a", h.planted["redispassword"], "--no-auth-warning", "EVAL", forgetPause, "0")
		eventually(h.t, fmt.Sprintf("HubSpot answers %d to a contact", status), func() bool { return strings.Count(h.api.String(), "POST "+upsertPath) > before })
		_, answer := h.admin("GET", "/readyz", "")
		h.outputs["/readyz"] += answer
	}
	for _, path := range []string{upsertPath, form, "/crm/objects/2026-09/contacts/batch/read"} {
		h.api.fail(path, 0)
	}
}

// forgetPause ends the rest that the queue takes after a refusal, and what waits for its next try.
const forgetPause = `for _, k in ipairs(redis.call("KEYS", "hubgate:{crm}:*")) do if string.find(k, "pause") then redis.call("DEL", k) end end return 0`

// oddRequests are such as no browser sends.
func (h *house) oddRequests() {
	for _, request := range []string{
		"GET /members/ HTTP/1.1\r\nHost: HOST\r\nX-Bad: " + h.planted["badheader"] + "\x00\r\n\r\n",
		"GET /members/ HTTP/1.1\r\nHost: HOST\r\nX Bad: " + h.planted["badheader"] + "\r\n\r\n",
		"GET /members/ HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nCookie: hubgate=" + h.planted["badcookie"] + "; hubgate-login-aaaaaaaa=" + h.planted["badcookie"] + "\r\n\r\n",
		"GET /%zz?token=" + h.planted["query"] + " HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nAuthorization: " + h.planted["badheader"] + "\r\n\r\n",
		"GET /a//b?token=" + h.planted["query"] + " HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\nTraceparent: " + h.planted["badheader"] + "\r\n\r\n",
		"POST /members/ HTTP/1.1\r\nHost: HOST\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nX-Bad: " + h.planted["badheader"] + "\r\n\r\n0\r\n\r\n",
		"GET http://HOST/members/?token=" + h.planted["query"] + " HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nReferer: /?" + h.planted["badheader"] + "\r\n\r\n",
		"POST /public HTTP/1.1\r\nHost: HOST\r\nContent-Length: 500\r\nConnection: close\r\n\r\npassword=" + h.planted["password"] + strings.Repeat("x", 500),
	} {
		h.raw(request)
	}
	h.visit(h.visitor(), "/broken")
}

// operators read everything that they may, by HTTP and by command.
func (h *house) operators() {
	token, config := h.planted["admintoken"], h.config
	for _, path := range []string{"/config", "/readyz", "/readyz?strict=1", "/version", "/metrics", "/api/contacts", "/debug/pprof/goroutine?debug=2", "/debug/pprof/cmdline"} {
		for _, t := range []string{token, "", h.planted["query"]} {
			_, answer := h.admin("GET", path, t)
			h.outputs[path] += answer
		}
	}
	h.outputs["/metrics as OpenMetrics"] = h.openMetrics()
	for _, path := range []string{"/api/sessions", "/api/contacts/dead", "/api/contacts/queue", "/api/sessions?user=" + h.email()} {
		if status, answer := h.admin("GET", path, token); status != http.StatusOK {
			h.t.Errorf("%s answers %d", path, status)
		} else {
			h.outputs["operators "+path] += answer // with e-mails, as is said there
		}
	}
	h.command("check", "check", "--config", config)
	h.command("check --live", "check", "--config", config, "--live")
	h.command("explain", "explain", "--config", config, h.world.site()+"/members/x?token=1")
	h.command("pages", "pages", "--config", config)
	h.command("contacts status", "contacts", "status", "--config", config)
	h.command("version", "version")
}

func (h *house) openMetrics() string {
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, address(h.adminPort)+"/metrics", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Accept", "application/openmetrics-text")
	text, _ := fetch(h.t, req)
	return text
}

// badReload puts a file in place whose every mistake is beside a secret.
func (h *house) badReload() {
	bad := write(h.t, "bad.yaml", h.badFile())
	unclosed := write(h.t, "unclosed.yaml", strings.Replace(h.file(), h.planted["clientsecret"]+`"`, h.planted["badfile"], 1))
	for _, file := range []string{bad, unclosed} {
		h.command("check of a bad file", "check", "--config", file)
		h.command("diff with a bad file", "diff", h.config, file)
		h.command("explain with a bad file", "explain", "--config", file, h.world.site()+"/")
	}
	h.save(h.badFile())
	h.gateway.says(`"action":"reload","outcome":"refused"`)
	for _, path := range []string{"/config", "/readyz"} {
		_, answer := h.admin("GET", path, h.planted["admintoken"])
		h.outputs[path+" after a bad file"] = answer
	}
	h.save(h.file())
	h.gateway.says(`configuration unchanged`)
}

// redisOutage has Redis refuse the password, then go away, while visitors come.
func (h *house) redisOutage() {
	v := h.visitor()
	h.visit(v, "/members/doc")
	redisCLI(h.t, h.redisPort, "-a", h.planted["redispassword"], "--no-auth-warning", "CONFIG", "SET", "requirepass", "another")
	for _, kind := range []string{"normal", "pubsub"} {
		redisCLI(h.t, h.redisPort, "-a", "another", "--no-auth-warning", "CLIENT", "KILL", "TYPE", kind)
	}
	for range 2 {
		for _, who := range []*visitor{v, h.visitor()} {
			for _, page := range []string{"/members/doc", "/oauth2/userinfo", "/oauth2/session"} {
				h.visit(who, page)
			}
		}
		_, answer := h.admin("GET", "/readyz", "")
		h.outputs["/readyz while Redis is away"] += answer
		h.outputs["/metrics while Redis is away"] = h.openMetrics()
		h.redis.kill()
	}
}

// everythingWentThrough makes sure that the search is one: each secret was where it should be.
func (h *house) everythingWentThrough() {
	h.t.Helper()
	passed := h.provider.String() + h.api.String() + h.site.String() + h.given.String() + h.pages.String()
	for name, value := range h.planted {
		found := false
		for _, spelling := range spellings(value) {
			found = found || strings.Contains(passed, spelling)
		}
		switch name {
		case "admintoken", "redispassword", "sessionkey": // without them nothing would have worked
		case "badheader", "badcookie", "badfile", "errorcode", "requestid", "forwarded": // reach nobody: that is the point
		default:
			if !found {
				h.t.Errorf("the %s was planted and went nowhere", name)
			}
		}
	}
	kinds := map[string]bool{}
	for name := range h.provider.handedOut() {
		kinds[strings.Fields(name)[0]] = true
	}
	for _, kind := range []string{"code", "state", "nonce", "verifier", "access", "refresh", "ID"} {
		if !kinds[kind] {
			h.t.Errorf("no %s was handed out", kind)
		}
	}
}
