package e2e

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// terraformUser returns the permissions that deploy/terraform gives to hubgate in ElastiCache.
func terraformUser(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../deploy/terraform/redis.tf")
	if err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile(`(?s)access_string = join\(" ", \[(.*?)\]\)`).FindSubmatch(text)
	if list == nil {
		t.Fatal("redis.tf has no access_string")
	}
	var rule []string
	for _, part := range regexp.MustCompile(`"([^"]+)"`).FindAllSubmatch(list[1], -1) {
		rule = append(rule, strings.Fields(strings.ReplaceAll(string(part[1]), "${local.key_prefix}", "hubgate:"))...)
	}
	return rule
}

// TestTerraformUserSuffices runs everything that needs Redis with these permissions. ElastiCache rejects config|get, so
// they do not include it.
func TestTerraformUserSuffices(t *testing.T) {
	t.Parallel()
	store := startRedis(t)
	store.cli("config", "set", "acllog-max-len", "100")
	store.must(append([]string{"acl", "setuser", "hubgate", ">first"}, terraformUser(t)...)...)
	s := newSite(t, options{provider: cognito, routed: true, redis: store.asUser("first"),
		config: config{"session.idle_timeout": "10s"}})
	g := s.serve()
	s.usesEveryFeature()
	log := store.cli("acl", "log")
	for _, rejected := range regexp.MustCompile(`(?m)^object\n(.*)$`).FindAllStringSubmatch(log, -1) {
		if rejected[1] != "config|get" {
			t.Errorf("Redis rejected %s", rejected[1])
		}
	}
	if got := g.check("redis"); !got.OK || !strings.Contains(got.Detail, "version 7") {
		t.Errorf("/readyz: %+v", got)
	}
}
