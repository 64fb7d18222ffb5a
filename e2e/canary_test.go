package e2e

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// house is a gateway with a secret of its own in every place where one can stand.
type house struct {
	*world
	provider *canaryProvider
	api      *echo // HubSpot's API and forms
	site     *echo // the origin
	spans    *spanCollector
	gateway  *process
	planted  map[string]string // name -> secret that the test planted
	pages    *wire             // bodies and headers that visitors got, without those that carry cookies and states
	failures *wire             // the same of those whose login failed
	given    *wire             // the headers that do
	monitor  *wire             // every command that Redis got
	outputs  map[string]string // what else was written: name -> text
}

func secret(what string) string { return strings.ToLower("canary" + what + rand.Text()) }

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{world: &world{t: t}, pages: &wire{}, failures: &wire{}, given: &wire{}, monitor: &wire{}, outputs: map[string]string{}, planted: map[string]string{}}
	for _, what := range []string{"clientsecret", "admintoken", "redispassword", "hubspottoken", "email", "query", "referer", "authorization", "form", "password",
		"requestid", "description", "errorcode", "badheader", "badcookie", "badfile", "forwarded"} {
		h.planted[what] = secret(what)
	}
	h.planted["hubspotutk"] = hex.EncodeToString([]byte(rand.Text())[:16])
	h.planted["sessionkey"] = base64.StdEncoding.EncodeToString([]byte(rand.Text() + rand.Text())[:32])
	h.provider, h.api, h.spans = newCanaryProvider(t, h.email()), newEcho(t, canaryCRM()), newSpanCollector(t)
	h.site = newEcho(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/broken" {
			panic(http.ErrAbortHandler)
		}
		fmt.Fprint(w, "a page of the site")
	}))
	base := freePorts(t, 3)
	h.redisPort, h.port, h.adminPort = base, base+1, base+2
	h.redis = startRedis(t, h.redisPort, "--requirepass", h.planted["redispassword"], "--appendonly", "yes")
	h.watchRedis()
	h.config = write(t, "hubgate.yaml", h.file())
	h.gateway = h.serve()
	return h
}

func (h *house) email() string { return h.planted["email"] + "@example.com" }

func (h *house) file() string {
	return fmt.Sprintf(`version: 1
server: {public_urls: ["%s"], listen: "127.0.0.1:%d", admin_listen: "127.0.0.1:%d", admin_token: "%s", pprof: true, drain_delay: 0s, drain_timeout: 2s}
proxy:
  origin: "%s"
  default: public
  rules: [{path: /members/**}, {path: /partners/**, groups: [partner]}]
auth: {issuer: "%s", client_id: canary-client, client_secret: "%s", scopes: [openid, email], claims_from_userinfo: true, login_rate: none}
session:
  keys: ["%s"]
  cache_ttl: none
  redis: {urls: ["redis://127.0.0.1:%d/0"], password: "%s"}
hubspot:
  access_token: "%s"
  api_url: "%s"
  hub_id: 4711
  contacts: {min_interval: 0s, properties: {firstname: given_name}}
  visitors: {link: form, form_id: 11111111-2222-3333-4444-555555555555, form_url: "%s"}
log: {level: debug}
tracing: {endpoint: "%s"}
`, h.world.site(), h.port, h.adminPort, h.planted["admintoken"], h.site.URL, h.provider.URL, h.planted["clientsecret"], h.planted["sessionkey"], h.redisPort,
		h.planted["redispassword"], h.planted["hubspottoken"], h.api.URL, h.api.URL, h.spans.URL)
}

// RoundTrip keeps what a visitor got from the gateway.
func (h *house) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || !strings.HasSuffix(r.URL.Host, fmt.Sprint(":", h.port)) {
		return res, err
	}
	dump, err := httputil.DumpResponse(res, true)
	for text := range strings.Lines(string(dump)) {
		if strings.HasPrefix(text, "Set-Cookie: ") || strings.HasPrefix(text, "Location: ") {
			h.given.add(text)
			continue
		}
		h.pages.add(strings.TrimRight(text, "\r\n"))
	}
	return res, err
}

// visitor is somebody whose requests carry secrets wherever they can.
func (h *house) visitor() *visitor {
	h.t.Helper()
	v := newVisitor(h.t)
	v.client.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Host, fmt.Sprint(":", h.port)) {
			r.Header.Set("Authorization", "Bearer "+h.planted["authorization"])
			r.Header.Set("Referer", "https://elsewhere.example/?token="+h.planted["referer"])
			r.Header.Set("X-Request-Id", h.planted["requestid"])
			r.Header.Set("X-Forwarded-For", h.planted["forwarded"])
			r.AddCookie(&http.Cookie{Name: "hubspotutk", Value: h.planted["hubspotutk"]})
		}
		return h.RoundTrip(r)
	})
	return v
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// visit opens a page with a secret in its query.
func (h *house) visit(v *visitor, path string) seen {
	h.t.Helper()
	return v.open(h.world.site() + path + "?token=" + h.planted["query"])
}

// watchRedis keeps every command that Redis gets, by its own MONITOR.
func (h *house) watchRedis() {
	h.t.Helper()
	conn, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", h.redisPort))
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "AUTH %s\r\nMONITOR\r\n", h.planted["redispassword"])
	go func() {
		for scanner := bufio.NewScanner(conn); scanner.Scan(); {
			h.monitor.add(scanner.Text())
		}
	}()
}

// dumpRedis reads every key with what it holds.
func (h *house) dumpRedis() string {
	h.t.Helper()
	ctx, out := h.t.Context(), &strings.Builder{}
	rdb := redis.NewClient(&redis.Options{Addr: fmt.Sprint("127.0.0.1:", h.redisPort), Password: h.planted["redispassword"]})
	defer rdb.Close()
	kinds := map[string]bool{}
	for keys := rdb.Scan(ctx, 0, "*", 0).Iterator(); keys.Next(ctx); {
		kind := rdb.Type(ctx, keys.Val()).Val()
		kinds[kind] = true
		value, err := redisValue(ctx, rdb, kind, keys.Val())
		if err != nil {
			h.t.Fatalf("%s %s: %v", kind, keys.Val(), err)
		}
		fmt.Fprintf(out, "%s %v\n", keys.Val(), value)
	}
	for _, kind := range []string{"string", "zset", "stream"} {
		if !kinds[kind] {
			h.t.Errorf("Redis holds no %s: the dump is not what it should be", kind)
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
	return nil, fmt.Errorf("a type that this test does not know")
}

// raw sends bytes that no client would, and returns the answer.
func (h *house) raw(request string) {
	h.t.Helper()
	conn, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", h.port))
	if err != nil {
		h.t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprint(conn, strings.ReplaceAll(request, "HOST", fmt.Sprint("localhost:", h.port)))
	answer, _ := io.ReadAll(conn) // the end of the connection is the end of the answer
	if len(answer) == 0 {
		h.t.Errorf("no answer to %q", request)
	}
	h.pages.add(string(answer))
}

// command runs hubgate and keeps what it says.
func (h *house) command(name string, args ...string) {
	h.t.Helper()
	out, _ := exec.CommandContext(h.t.Context(), binary, args...).CombinedOutput() // many of them are to fail
	h.outputs["hubgate "+name] += string(out)
}

// badFile is a configuration with a secret in every place where it is wrong.
func (h *house) badFile() string {
	bad := h.planted["badfile"]
	return strings.NewReplacer(
		`client_secret: "`+h.planted["clientsecret"]+`"`, `client_secret: ["`+bad+`"], client_secrt: "`+bad+`"`,
		`admin_token: "`+h.planted["admintoken"]+`"`, `admin_token: " `+bad+`"`,
		`keys: ["`+h.planted["sessionkey"]+`"]`, `keys: ["`+bad+`", {a: "`+bad+`"}]`,
		`redis://127.0.0.1`, `redis://user:`+bad+`@127.0.0.1`,
		`password: "`+h.planted["redispassword"]+`"`, `password: {x: "`+bad+`"}`,
		`access_token: "`+h.planted["hubspottoken"]+`"`, `access_token: "${file:/nowhere/x}"`,
		`endpoint: "http://`, `endpoint: "http://user:`+bad+`@`,
		`origin: "http://`, `origin: "http://user:`+bad+`@`,
		`issuer: "http://`, `issuer: "http://user:`+bad+`@`,
		`api_url: "http://`, `api_url: "http://user:`+bad+`@`,
		`form_url: "http://`, `form_url: "http://user:`+bad+`@`,
	).Replace(h.file())
}

func (h *house) save(text string) {
	h.t.Helper()
	if err := os.WriteFile(h.config, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// spellings are the forms in which a secret could stand somewhere: as it is, in a URL, in hexadecimal digits, in Base64 at each offset.
func spellings(value string) []string {
	all := []string{value, url.QueryEscape(value), hex.EncodeToString([]byte(value))}
	for offset := range 3 {
		text := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat(" ", offset) + value))
		text = text[[]int{0, 2, 3}[offset] : len(text)-2]
		all = append(all, text, strings.NewReplacer("+", "-", "/", "_").Replace(text))
	}
	return all
}
