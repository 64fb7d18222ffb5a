package e2e

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// canary is a gateway with a different secret wherever one may occur.
type canary struct {
	*site
	gateway  *gateway
	idp      *canaryProvider
	api      *echo // HubSpot's API and forms
	pages    *echo // HubSpot's site
	spans    *spanCollector
	planted  map[string]string // secrets of the test: name -> value
	answers  *wire             // bodies and headers that visitors received, except cookies and redirects
	failures *wire             // the same for failed logins
	granted  *wire             // cookies and redirects
	monitor  *wire             // commands that Redis received
	outputs  map[string]string // everything else that was written: name -> text
}

func secret(what string) string { return strings.ToLower("canary" + what + rand.Text()) }

// plantedSecrets returns a new secret for each place.
func plantedSecrets() map[string]string {
	planted := map[string]string{}
	for _, what := range []string{"clientsecret", "admintoken", "redispassword", "hubspottoken", "email", "query",
		"referer", "authorization", "form", "password", "requestid", "description", "errorcode", "badheader",
		"badcookie", "badfile", "forwarded"} {
		planted[what] = secret(what)
	}
	planted["hubspotutk"] = hex.EncodeToString([]byte(rand.Text())[:16])
	planted["sessionkey"] = base64.StdEncoding.EncodeToString([]byte(rand.Text() + rand.Text())[:32])
	return planted
}

func newCanary(t *testing.T) *canary {
	t.Helper()
	c := &canary{planted: plantedSecrets(), outputs: map[string]string{},
		answers: &wire{}, failures: &wire{}, granted: &wire{}, monitor: &wire{}}
	store := startRedis(t, "--requirepass", c.planted["redispassword"])
	store.password = c.planted["redispassword"]
	c.site = newSite(t, options{redis: store.section(), provider: func(s *site) config {
		c.idp = newCanaryProvider(t, c.email())
		return config{"auth.issuer": c.idp.URL, "auth.client_id": "canary-client", "auth.scopes": "[openid, email]",
			"auth.claims_from_userinfo": "true", "auth.login_rate": "none"}
	}})
	c.redis = store
	c.api, c.spans = newEcho(t, c.crm.api()), newSpanCollector(t)
	c.pages = newEcho(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/broken" {
			panic(http.ErrAbortHandler)
		}
		fmt.Fprint(w, "a page of the site")
	}))
	c.watchRedis()
	c.gateway = c.serve(c.changes())
	return c
}

func (c *canary) email() string { return c.planted["email"] + "@example.com" }

// changes returns the keys by which the configuration differs from the usual one.
func (c *canary) changes() config {
	return config{
		"server.admin_token": c.planted["admintoken"], "server.pprof": "true", "server.drain_timeout": "2s",
		"proxy.origin": c.pages.URL, "auth.client_secret": c.planted["clientsecret"],
		"session.keys": `["` + c.planted["sessionkey"] + `"]`, "session.cache_ttl": "none",
		"session.redis.password": c.planted["redispassword"], "hubspot.access_token": c.planted["hubspottoken"],
		"hubspot.api_url": c.api.URL, "hubspot.hub_id": "4711", "hubspot.visitors.link": "form",
		"hubspot.visitors.form_id":  "11111111-2222-3333-4444-555555555555",
		"hubspot.visitors.form_url": c.api.URL, "log.level": "debug", "tracing.endpoint": c.spans.URL,
	}
}

// invalid returns a configuration that is wrong wherever there is a secret.
func (c *canary) invalid() config {
	bad := c.planted["badfile"]
	withPassword := func(url string) string { return strings.Replace(url, "http://", "http://user:"+bad+"@", 1) }
	return c.gateway.config.with(config{
		"auth.client_secret": `["` + bad + `"]`, "auth.client_secrt": bad, "server.admin_token": `" ` + bad + `"`,
		"session.keys":           `["` + bad + `", {a: "` + bad + `"}]`,
		"session.redis.urls":     `["redis://user:` + bad + `@` + local(c.redis.port) + `/0"]`,
		"session.redis.password": `{x: "` + bad + `"}`, "hubspot.access_token": "${file:/nowhere/x}",
		"tracing.endpoint": withPassword(c.spans.URL), "proxy.origin": withPassword(c.pages.URL),
		"auth.issuer": withPassword(c.idp.URL), "hubspot.api_url": withPassword(c.api.URL),
		"hubspot.visitors.form_url": withPassword(c.api.URL),
	})
}

// RoundTrip records what a visitor receives from the gateway.
func (c *canary) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || r.URL.Host != localhost(c.port) {
		return res, err
	}
	dump, err := httputil.DumpResponse(res, true)
	for text := range strings.Lines(string(dump)) {
		if strings.HasPrefix(text, "Set-Cookie: ") || strings.HasPrefix(text, "Location: ") {
			c.granted.add(text)
			continue
		}
		c.answers.add(strings.TrimRight(text, "\r\n"))
	}
	return res, err
}

// visitor returns a visitor whose requests have secrets wherever possible.
func (c *canary) visitor() *visitor {
	c.t.Helper()
	v := newVisitor(c.t)
	v.client.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host == localhost(c.port) {
			r.Header.Set("Authorization", "Bearer "+c.planted["authorization"])
			r.Header.Set("Referer", "https://elsewhere.example/?token="+c.planted["referer"])
			r.Header.Set("X-Request-Id", c.planted["requestid"])
			r.Header.Set("X-Forwarded-For", c.planted["forwarded"])
			r.AddCookie(&http.Cookie{Name: "hubspotutk", Value: c.planted["hubspotutk"]})
		}
		return c.RoundTrip(r)
	})
	return v
}

// visit opens a page with a secret in its query.
func (c *canary) visit(v *visitor, path string) page {
	c.t.Helper()
	return v.open(c.url + path + "?token=" + c.planted["query"])
}

// watchRedis records every command that Redis receives, by MONITOR.
func (c *canary) watchRedis() {
	c.t.Helper()
	conn := dial(c.t, local(c.redis.port))
	conn.SetDeadline(time.Time{})
	fmt.Fprintf(conn, "AUTH %s\r\nMONITOR\r\n", c.planted["redispassword"])
	go func() {
		for scanner := bufio.NewScanner(conn); scanner.Scan(); {
			c.monitor.add(scanner.Text())
		}
	}()
}

// dumpRedis returns all keys and values.
func (c *canary) dumpRedis() string {
	c.t.Helper()
	ctx, out := c.t.Context(), &strings.Builder{}
	rdb := redis.NewClient(&redis.Options{Addr: local(c.redis.port), Password: c.redis.password})
	defer rdb.Close()
	kinds := map[string]bool{}
	for keys := rdb.Scan(ctx, 0, "*", 0).Iterator(); keys.Next(ctx); {
		kind := rdb.Type(ctx, keys.Val()).Val()
		kinds[kind] = true
		value, err := redisValue(ctx, rdb, kind, keys.Val())
		if err != nil {
			c.t.Fatalf("%s %s: %v", kind, keys.Val(), err)
		}
		fmt.Fprintf(out, "%s %v\n", keys.Val(), value)
	}
	for _, kind := range []string{"string", "zset", "stream"} {
		if !kinds[kind] {
			c.t.Errorf("Redis has no %s, so the dump is incomplete", kind)
		}
	}
	return out.String()
}

func redisValue(ctx context.Context, rdb *redis.Client, kind, key string) (any, error) {
	switch kind {
	case "string":
		return rdb.Get(ctx, key).Result()
	case "hash":
		return rdb.HGetAll(ctx, key).Result()
	case "zset":
		return rdb.ZRangeWithScores(ctx, key, 0, -1).Result()
	case "set":
		return rdb.SMembers(ctx, key).Result()
	case "list":
		return rdb.LRange(ctx, key, 0, -1).Result()
	case "stream":
		return rdb.XRange(ctx, key, "-", "+").Result()
	}
	return nil, errors.New("unexpected type")
}

// raw sends bytes and records the answer.
func (c *canary) raw(request string) {
	c.t.Helper()
	answer, _ := sendRaw(c.t, local(c.port), strings.ReplaceAll(request, "HOST", localhost(c.port)))
	if answer == "" {
		c.t.Errorf("no answer to %q", request)
	}
	c.answers.add(answer)
}

// command runs hubgate and records its output.
func (c *canary) command(name string, args ...string) {
	c.t.Helper()
	out, _ := exec.CommandContext(c.t.Context(), binary, args...).CombinedOutput() // some have to fail
	c.outputs["hubgate "+name] += string(out)
}

// spellings returns the forms that a secret may have: itself, in a URL, in hexadecimal digits, in base64 at any offset.
func spellings(value string) []string {
	all := []string{value, url.QueryEscape(value), hex.EncodeToString([]byte(value))}
	for offset := range 3 {
		text := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat(" ", offset) + value))
		text = text[[]int{0, 2, 3}[offset] : len(text)-2]
		all = append(all, text, strings.NewReplacer("+", "-", "/", "_").Replace(text))
	}
	return all
}
