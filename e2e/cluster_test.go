package e2e

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// cluster is a real Redis Cluster of three masters. A command that spans two hash tags is refused by it.
type cluster struct {
	t     *testing.T
	base  int
	store string // the section session.redis
}

func startCluster(t *testing.T, user string) *cluster {
	t.Helper()
	need(t, "redis", "redis-server")
	c := &cluster{t: t, base: freePorts(t, 6)}
	var nodes, urls []string
	for i := range 3 {
		startRedis(t, c.base+i, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(c.base+3+i))
		nodes = append(nodes, "127.0.0.1:"+strconv.Itoa(c.base+i))
		urls = append(urls, fmt.Sprintf("%q", "redis://127.0.0.1:"+strconv.Itoa(c.base+i)))
	}
	out := redisCLI(t, c.base, append(append([]string{"--cluster", "create"}, nodes...), "--cluster-yes")...)
	for i := range 3 {
		eventually(t, "the cluster is up: "+out, func() bool { return strings.Contains(redisCLI(t, c.base+i, "cluster", "info"), "cluster_state:ok") })
	}
	c.store = "{mode: cluster, urls: [" + strings.Join(urls, ", ") + "]" + user + "}"
	return c
}

// keys are the pool's, and that of logout tokens.
func (f *gateways) keys(w http.ResponseWriter, r *http.Request) {
	rec := httptest.NewRecorder()
	f.cognito.ServeHTTP(rec, r)
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(rec.Body.Bytes(), &set); err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	set.Keys = append(set.Keys, jose.JSONWebKey{Key: f.logoutKey.Public(), KeyID: "logout", Algorithm: "RS256", Use: "sig"})
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(set)
}

// logoutToken names a user to the back-channel.
func (f *gateways) logoutToken(subject string) string {
	f.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: f.logoutKey, KeyID: "logout"}}, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	claims, _ := json.Marshal(map[string]any{
		"iss": f.pool.URL + "/" + poolID, "aud": "web", "sub": subject, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(), "jti": rand.Text(),
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	})
	signed, err := signer.Sign(claims)
	if err != nil {
		f.t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		f.t.Fatal(err)
	}
	return token
}

// admin asks the admin API of the first replica.
func (f *gateways) admin(path string, into any) {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), http.MethodGet, address(f.replicas[0].admin)+path, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || json.Unmarshal(text, into) != nil {
		f.t.Fatalf("%s: %v\n%s", path, err, text)
	}
}

// command runs one of the binary's commands against the first replica.
func (f *gateways) command(args ...string) string {
	f.t.Helper()
	out, err := exec.CommandContext(f.t.Context(), binary, append(args, "--config", f.replicas[0].config)...).CombinedOutput()
	if err != nil {
		f.t.Errorf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

// refused waits until the session is over on every replica and the page leads to a login. In a cluster the other replica learns of the
// end over the nodes' bus, a moment after the answer.
func (f *gateways) refused(why string, v *visitor) {
	f.t.Helper()
	v.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	eventually(f.t, why, func() bool {
		for range 2 * len(f.replicas) {
			if v.open(f.site+"/members/").StatusCode != http.StatusFound {
				return false
			}
		}
		return true
	})
}

// everything uses each feature that needs Redis.
func (f *gateways) everything() {
	f.t.Helper()
	f.expiresIn.Store(1)
	v, other := f.login(), f.login()
	end := time.Now().Add(time.Second)
	eventually(f.t, "the session is refreshed", func() bool { f.served(v); return time.Now().After(end) && f.refreshes.Load() > 0 })
	eventually(f.t, "the contact is in the CRM", func() bool { return f.crm.contact("alice@example.com") != nil })
	list := f.command("sessions", "list")
	if strings.Count(list, "alice@example.com") != 2 {
		f.t.Errorf("sessions list:\n%s", list)
	}
	id := strings.Fields(strings.Split(list, "\n")[1])[0]
	f.command("sessions", "end", id)
	if got := f.command("sessions", "list"); strings.Contains(got, id) || !strings.Contains(got, "alice@example.com") {
		f.t.Errorf("one ended, and sessions list:\n%s", got)
	}
	f.command("sessions", "end", "--user", "alice@example.com")
	f.refused("ended by an operator", v)
	f.refused("ended by an operator", other)

	f.expiresIn.Store(0)
	leaver, elsewhere := f.login(), f.login()
	leaver.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if got := leaver.do(http.MethodPost, f.site+"/oauth2/sign_out", url.Values{"everywhere": {"1"}}); got.StatusCode != http.StatusFound {
		f.t.Errorf("log out everywhere: %d", got.StatusCode)
	}
	f.refused("logged out everywhere", elsewhere)

	v = f.login()
	var me struct{ User string }
	if err := json.Unmarshal([]byte(v.open(f.site+"/oauth2/userinfo").body), &me); err != nil || me.User == "" {
		f.t.Fatalf("userinfo: %v", err)
	}
	res, err := http.PostForm(f.site+"/oauth2/backchannel_logout", url.Values{"logout_token": {f.logoutToken(me.User)}})
	if err != nil {
		f.t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		f.t.Errorf("the back-channel: %d", res.StatusCode)
	}
	f.refused("ended by the provider", v)

	for range 6 {
		f.login()
	}
	seen := map[string]int{}
	for next, pages := "", 0; pages == 0 || next != ""; pages++ {
		var page struct {
			Sessions []struct{ ID string }
			Next     string
		}
		f.admin("/api/sessions?limit=2&cursor="+url.QueryEscape(next), &page)
		for _, s := range page.Sessions {
			seen[s.ID]++
		}
		next = page.Next
	}
	if len(seen) != 6 {
		f.t.Errorf("pages of two show %v", seen)
	}
	f.command("contacts", "status")
	f.command("contacts", "dead")
	f.command("contacts", "send", "alice@example.com")
	var config struct {
		Keys map[string]time.Time `json:"session_keys_in_use_until"`
	}
	if f.admin("/config", &config); len(config.Keys) != 1 {
		f.t.Errorf("/config: keys in use: %v", config.Keys)
	}
}

func TestEverythingWorksOnAClusterOfThreeMasters(t *testing.T) {
	t.Parallel()
	c := startCluster(t, ", username: hubgate, password: cluster-pw")
	for i := range 3 {
		rule := append(documentedUser(t, "cluster-pw"), "+cluster|slots", "+cluster|shards") // as the docs say
		if out := redisCLI(t, c.base+i, rule...); !strings.HasPrefix(out, "OK") {
			t.Fatal(out)
		}
	}
	f := newGateways(t, time.Hour)
	f.join(c.store, "")
	f.join(c.store, "")
	f.everything()
	for i := range 3 {
		if log := strings.TrimSpace(redisCLI(t, c.base+i, "acl", "log")); log != "" {
			t.Errorf("node %d refused:\n%s", i, log)
		}
	}
	for i, r := range f.replicas {
		if strings.Contains(r.out.String(), "CROSSSLOT") {
			t.Errorf("replica %d sent a command that spans two hash tags", i)
		}
	}
}

func TestAnEndingIsHeardOverAClusterAndItsInterruptionIsNoticed(t *testing.T) {
	t.Parallel()
	c := startCluster(t, "")
	f := newGateways(t, time.Hour)
	hour := "  cache_ttl: 1h\n" // far longer than the test: only what is told can end a session here
	f.join(c.store, hour)
	f.join(c.store, hour)
	heard := func(why string) {
		t.Helper()
		v := f.login()
		f.router.pin(1)
		if !f.served(v) {
			t.Errorf("%s: the second replica does not serve", why)
		}
		id := strings.Fields(strings.Split(f.command("sessions", "list"), "\n")[1])[0]
		f.command("sessions", "end", id)
		eventually(t, why+": the second replica has heard of the end", func() bool {
			return v.openAt(f, 1, "/members/").StatusCode == http.StatusFound
		})
		f.router.pin(-1)
	}
	heard("before")
	for i := range 3 {
		redisCLI(t, c.base+i, "client", "kill", "type", "pubsub")
	}
	f.replicas[1].says("the subscription to redis is interrupted")
	eventually(t, "it stands again", func() bool { return f.redis(f.replicas[1]).OK })
	heard("after an interruption")
}

func TestCertificatesLiveInACluster(t *testing.T) {
	ports := freePorts(t, 6)
	ca := startAuthority(t, ports, ports+1, quarter)
	t.Setenv("SSL_CERT_FILE", ca.roots)
	c := startCluster(t, "")
	startTLSGateway(t, ca, c.store, ports)
	first := certificateOf(t, ports+1, acmeHost)
	startTLSGateway(t, ca, c.store, ports+3)
	if second := certificateOf(t, ports+4, acmeHost); first.SerialNumber.Cmp(second.SerialNumber) != 0 {
		t.Error("the second replica did not find the certificate of the first")
	}
}
