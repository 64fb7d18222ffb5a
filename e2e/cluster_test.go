package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// cluster is a Redis Cluster of three masters. It rejects commands that span two hash tags.
type cluster struct {
	nodes   []*redisServer
	section string // the section session.redis
}

// startCluster starts a cluster. user is the end of the section session.redis.
func startCluster(t *testing.T, user string) *cluster {
	t.Helper()
	c := &cluster{}
	var nodes, urls []string
	for range 3 {
		n := startRedis(t, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(freePorts(t, 1)))
		c.nodes = append(c.nodes, n)
		nodes = append(nodes, local(n.port))
		urls = append(urls, fmt.Sprintf("%q", "redis://"+local(n.port)))
	}
	out := c.nodes[0].cli(append(append([]string{"--cluster", "create"}, nodes...), "--cluster-yes")...)
	for _, n := range c.nodes {
		eventually(t, "the cluster is up: "+out, func() bool {
			return strings.Contains(n.cli("cluster", "info"), "cluster_state:ok")
		})
	}
	c.section = "{mode: cluster, urls: [" + strings.Join(urls, ", ") + "]" + user + "}"
	return c
}

// loggedOut waits until the session has ended on every replica. In a cluster, the other replica learns of the end over
// the bus between the nodes, a moment after the answer.
func (s *site) loggedOut(why string, v *visitor) {
	s.t.Helper()
	v.client.CheckRedirect = stay
	eventually(s.t, why, func() bool {
		for range 2 * len(s.gateways) {
			if v.open(s.url+"/members/").StatusCode != http.StatusFound {
				return false
			}
		}
		return true
	})
}

// firstSession returns the id of the first session that the sessions command lists.
func (g *gateway) firstSession() string {
	g.t.Helper()
	return strings.Fields(strings.Split(g.must("sessions", "list"), "\n")[1])[0]
}

// usesEveryFeature uses each feature that needs Redis.
func (s *site) usesEveryFeature() {
	s.t.Helper()
	s.endsSessions()
	s.logsOut()
	s.listsSessions()
	g := s.gateways[0]
	g.must("contacts", "status")
	g.must("contacts", "dead")
	g.must("contacts", "send", "alice@example.com")
	var config struct {
		Keys map[string]time.Time `json:"session_keys_in_use_until"`
	}
	if g.object("GET", "/config", &config); len(config.Keys) != 1 {
		s.t.Errorf("/config: keys in use: %v", config.Keys)
	}
}

// endsSessions refreshes sessions and ends them by command.
func (s *site) endsSessions() {
	s.t.Helper()
	g := s.gateways[0]
	s.pool.expiresIn.Store(1)
	defer s.pool.expiresIn.Store(0)
	v, other := s.member(), s.member()
	end := time.Now().Add(time.Second)
	eventually(s.t, "the session is refreshed", func() bool {
		s.served(v)
		return time.Now().After(end) && s.pool.refreshes.Load() > 0
	})
	eventually(s.t, "the contact is in the CRM", func() bool { return s.crm.contact("alice@example.com") != nil })
	if list := g.must("sessions", "list"); strings.Count(list, "alice@example.com") != 2 {
		s.t.Errorf("sessions list:\n%s", list)
	}
	id := g.firstSession()
	g.must("sessions", "end", id)
	if got := g.must("sessions", "list"); strings.Contains(got, id) || !strings.Contains(got, "alice@example.com") {
		s.t.Errorf("sessions list, after one ended:\n%s", got)
	}
	g.must("sessions", "end", "--user", "alice@example.com")
	s.loggedOut("the operator ended the session", v)
	s.loggedOut("the operator ended the other session", other)
}

// logsOut ends sessions by logging out everywhere and over the back-channel.
func (s *site) logsOut() {
	s.t.Helper()
	leaver, elsewhere := s.member(), s.member()
	leaver.client.CheckRedirect = stay
	got := leaver.do(http.MethodPost, s.url+"/oauth2/sign_out", url.Values{"everywhere": {"1"}})
	if got.StatusCode != http.StatusFound {
		s.t.Errorf("log out everywhere: %d", got.StatusCode)
	}
	s.loggedOut("logged out everywhere", elsewhere)

	v := s.member()
	var me struct{ User string }
	if err := json.Unmarshal([]byte(v.open(s.url+"/oauth2/userinfo").body), &me); err != nil || me.User == "" {
		s.t.Fatalf("userinfo: %v", err)
	}
	token := url.Values{"logout_token": {s.pool.logoutToken(s.t, me.User)}}
	res, err := http.PostForm(s.url+"/oauth2/backchannel_logout", token)
	if err != nil {
		s.t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		s.t.Errorf("back-channel logout: %d", res.StatusCode)
	}
	s.loggedOut("the provider ended the session", v)
}

// listsSessions reads the list of sessions page by page.
func (s *site) listsSessions() {
	s.t.Helper()
	for range 6 {
		s.member()
	}
	seen := map[string]int{}
	for next, pages := "", 0; pages == 0 || next != ""; pages++ {
		var list sessionList
		s.gateways[0].object("GET", "/api/sessions?limit=2&cursor="+url.QueryEscape(next), &list)
		for _, session := range list.Sessions {
			seen[session.ID]++
		}
		next = list.Next
	}
	if len(seen) != 6 {
		s.t.Errorf("pages of two list %v", seen)
	}
}

func TestClusterSupportsEveryFeature(t *testing.T) {
	t.Parallel()
	c := startCluster(t, ", username: hubgate, password: cluster-pw")
	for _, n := range c.nodes {
		n.must(append(documentedUser(t, "cluster-pw"), "+cluster|slots", "+cluster|shards")...) // as the docs say
	}
	s := newSite(t, options{provider: cognito, routed: true, redis: c.section})
	s.serve()
	s.serve()
	s.usesEveryFeature()
	for i, n := range c.nodes {
		if log := strings.TrimSpace(n.cli("acl", "log")); log != "" {
			t.Errorf("node %d rejected:\n%s", i, log)
		}
	}
	for i, g := range s.gateways {
		if g.out.contains("CROSSSLOT") {
			t.Errorf("replica %d sent a command that spans two hash tags", i)
		}
	}
}

func TestClusterPropagatesEndedSessions(t *testing.T) {
	t.Parallel()
	c := startCluster(t, "")
	// The cache outlives the test, so that only a message can end a session at the second replica.
	s := newSite(t, options{provider: cognito, routed: true, redis: c.section,
		config: config{"session.cache_ttl": "1h"}})
	first, second := s.serve(), s.serve()
	propagates := func(when string) {
		t.Helper()
		v := s.member()
		s.router.pin(1)
		if !s.served(v) {
			t.Errorf("%s: the second replica does not serve", when)
		}
		first.must("sessions", "end", first.firstSession())
		eventually(t, when+": the session has ended at the second replica", func() bool {
			return v.openAt(s, 1, "/members/").StatusCode == http.StatusFound
		})
		s.router.pin(-1)
	}
	propagates("before")
	for _, n := range c.nodes {
		n.cli("client", "kill", "type", "pubsub")
	}
	second.waitFor("the subscription to redis is interrupted")
	eventually(t, "the subscription is restored", func() bool { return second.check("redis").OK })
	propagates("after an interruption")
}

func TestClusterStoresCertificates(t *testing.T) {
	a := newACMESite(t, 2, startCluster(t, "").section)
	first := certificateOf(t, a.serve().port, acmeHost)
	if second := certificateOf(t, a.serve().port, acmeHost); first.SerialNumber.Cmp(second.SerialNumber) != 0 {
		t.Error("the second replica did not find the certificate of the first")
	}
}
