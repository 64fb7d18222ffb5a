package e2e

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// place is one thing that was written.
type place struct {
	name, text string
	may        string // what may stand there after all
}

// places are everything that was written, by name.
func (h *house) places() []place {
	_, spans := h.spans.all()
	all := []place{
		{"the log", h.gateway.out.String(), ""},
		{"the traces", spans, ""},
		{"the commands that Redis got", h.monitor.String(), ""},
		{"the pages", h.pages.String(), "email query"}, // a visitor's own account, and the address to come back to
		{"the pages of failed logins", h.failures.String(), "query"},
	}
	for name, text := range h.outputs {
		p := place{name, text, ""}
		if strings.HasPrefix(name, "operators ") {
			p.may = "email"
		}
		all = append(all, p)
	}
	return all
}

// cookies are the values of the gateway's own cookies: sessions and attempts.
func (h *house) cookies() map[string]string {
	found := map[string]string{}
	for _, m := range setCookie.FindAllStringSubmatch(h.given.String(), -1) {
		if len(m[2]) > 20 {
			found["cookie "+m[1]+" "+m[2][:6]] = m[2]
		}
	}
	return found
}

var setCookie = regexp.MustCompile(`(?m)^Set-Cookie: (hubgate[^=]*)=([^;]+);`)

// nothingLeaked searches every place for every secret in every spelling.
func (h *house) nothingLeaked() {
	h.t.Helper()
	secrets := h.provider.handedOut()
	for name, value := range h.cookies() {
		secrets[name] = value
	}
	if len(h.cookies()) < 10 {
		h.t.Errorf("only %d cookies were set", len(h.cookies()))
	}
	for name, value := range h.planted {
		secrets[name] = value
	}
	for _, p := range h.places() {
		h.t.Logf("%7d bytes: %s", len(p.text), p.name)
		if len(p.text) < 20 {
			h.t.Errorf("%s is empty: nothing was looked through there", p.name)
		}
		for name, value := range secrets {
			if slices.Contains(strings.Fields(p.may), name) {
				continue
			}
			for _, spelling := range spellings(value) {
				if at := strings.Index(p.text, spelling); at >= 0 {
					h.t.Errorf("%s holds the %s: ...%s...", p.name, name, p.text[max(0, at-300):min(len(p.text), at+100)])
					break
				}
			}
		}
	}
	h.searched(len(secrets))
}

// searched makes sure that the places held what they are for.
func (h *house) searched(secrets int) {
	h.t.Helper()
	log := h.gateway.out.String()
	for what, text := range map[string]string{
		"requests": `"msg":"request"`, "the failed exchange": "the token endpoint answers 400", "refused reloads": `"outcome":"refused"`,
		"Redis' refusal": "WRONGPASS",
	} {
		if !strings.Contains(log, text) {
			h.t.Errorf("the log does not tell of %s", what)
		}
	}
	spans, _ := h.spans.all()
	if len(spans) < 100 || secrets < 60 {
		h.t.Errorf("%d spans, %d secrets: too few to say anything", len(spans), secrets)
	}
	if !strings.Contains(h.monitor.String(), `"set"`) || !strings.Contains(strings.ToLower(h.monitor.String()), `"xadd"`) {
		h.t.Error("Redis' commands were not seen")
	}
}

func TestASpellingOfASecretIsFoundInEveryEncoding(t *testing.T) {
	t.Parallel()
	const value = "canary-4711"
	for _, text := range []string{"x" + value, "?a=canary-4711", "63616e6172792d34373131", "Y2FuYXJ5LTQ3MTE=", "eGNhbmFyeS00NzExeA==", "eHhjYW5hcnktNDcxMXh4", "eHh4Y2FuYXJ5LTQ3MTF4eHg="} {
		found := false
		for _, spelling := range spellings(value) {
			found = found || strings.Contains(text, spelling)
		}
		if !found {
			t.Errorf("not found in %s", text)
		}
	}
}
