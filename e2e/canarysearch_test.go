package e2e

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// place is one text that was written.
type place struct {
	name, text string
	may        string // secrets that it may contain
}

// places returns everything that was written.
func (c *canary) places() []place {
	_, spans := c.spans.all()
	all := []place{
		{"the log", c.gateway.out.String(), ""},
		{"the traces", spans, ""},
		{"the commands that Redis received", c.monitor.String(), ""},
		{"the pages", c.answers.String(), "email query"}, // the visitor's own account, and the page to return to
		{"the pages of failed logins", c.failures.String(), "query"},
	}
	for name, text := range c.outputs {
		p := place{name, text, ""}
		if strings.HasPrefix(name, "operators ") {
			p.may = "email"
		}
		all = append(all, p)
	}
	return all
}

// cookies returns the values of the gateway's own cookies: sessions and attempts.
func (c *canary) cookies() map[string]string {
	found := map[string]string{}
	for _, m := range setCookie.FindAllStringSubmatch(c.granted.String(), -1) {
		if len(m[2]) > 20 {
			found["cookie "+m[1]+" "+m[2][:6]] = m[2]
		}
	}
	return found
}

var setCookie = regexp.MustCompile(`(?m)^Set-Cookie: (hubgate[^=]*)=([^;]+);`)

// checkPlanted checks that each secret was used where it should be, so that the search is not empty.
func (c *canary) checkPlanted() {
	c.t.Helper()
	passed := c.idp.String() + c.api.String() + c.pages.String() + c.granted.String() + c.answers.String()
	for name, value := range c.planted {
		found := false
		for _, spelling := range spellings(value) {
			found = found || strings.Contains(passed, spelling)
		}
		switch name {
		case "admintoken", "redispassword", "sessionkey": // nothing works without these
		case "badheader", "badcookie", "badfile", "errorcode", "requestid", "forwarded": // must not be passed on
		default:
			if !found {
				c.t.Errorf("the %s was not used", name)
			}
		}
	}
	kinds := map[string]bool{}
	for name := range c.idp.issued() {
		kinds[strings.Fields(name)[0]] = true
	}
	for _, kind := range []string{"code", "state", "nonce", "verifier", "access", "refresh", "ID"} {
		if !kinds[kind] {
			c.t.Errorf("no %s was issued", kind)
		}
	}
}

// checkLeaks searches all output for every secret in every spelling.
func (c *canary) checkLeaks() {
	c.t.Helper()
	secrets := c.idp.issued()
	for name, value := range c.cookies() {
		secrets[name] = value
	}
	if len(c.cookies()) < 10 {
		c.t.Errorf("only %d cookies were set", len(c.cookies()))
	}
	for name, value := range c.planted {
		secrets[name] = value
	}
	for _, p := range c.places() {
		c.t.Logf("%7d bytes: %s", len(p.text), p.name)
		if len(p.text) < 20 {
			c.t.Errorf("%s: empty", p.name)
		}
		for name, value := range secrets {
			if slices.Contains(strings.Fields(p.may), name) {
				continue
			}
			for _, spelling := range spellings(value) {
				if at := strings.Index(p.text, spelling); at >= 0 {
					c.t.Errorf("%s contains the %s: ...%s...",
						p.name, name, p.text[max(0, at-300):min(len(p.text), at+100)])
					break
				}
			}
		}
	}
	c.checkPlaces(len(secrets))
}

// checkPlaces checks that the places contain what they are for, so that the search is not empty.
func (c *canary) checkPlaces(secrets int) {
	c.t.Helper()
	log := c.gateway.out.String()
	for what, text := range map[string]string{
		"requests": `"msg":"request"`, "the failed exchange": "token endpoint: 400", "refused reloads": `"outcome":"refused"`,
		"Redis' refusal": "WRONGPASS",
	} {
		if !strings.Contains(log, text) {
			c.t.Errorf("the log does not report %s", what)
		}
	}
	spans, _ := c.spans.all()
	if len(spans) < 100 || secrets < 60 {
		c.t.Errorf("only %d spans and %d secrets", len(spans), secrets)
	}
	if !strings.Contains(c.monitor.String(), `"set"`) || !strings.Contains(strings.ToLower(c.monitor.String()), `"xadd"`) {
		c.t.Error("the commands of Redis were not recorded")
	}
}

func TestSecretSpellingsCoverEveryEncoding(t *testing.T) {
	t.Parallel()
	const value = "canary-4711"
	for _, text := range []string{"x" + value, "?a=canary-4711", "63616e6172792d34373131", "Y2FuYXJ5LTQ3MTE=",
		"eGNhbmFyeS00NzExeA==", "eHhjYW5hcnktNDcxMXh4", "eHh4Y2FuYXJ5LTQ3MTF4eHg="} {
		found := false
		for _, spelling := range spellings(value) {
			found = found || strings.Contains(text, spelling)
		}
		if !found {
			t.Errorf("not found in %s", text)
		}
	}
}
