package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/configtest"
)

// TestHashIsTheSameOnEveryReplica checks that addresses of a replica do not change the hash, and that everything else
// which is inserted does. Operators compare the hashes of replicas.
func TestHashIsTheSameOnEveryReplica(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "hubgate.yaml")
	text := `version: 1
server:
  public_urls: ["https://www.example.com"]
  trusted_proxies: [private]
  admin_listen: "[${POD_IP}]:9090"
  listen: "[${POD_IP}]:8080"
proxy: {origin: "${ORIGIN}", default: public}
auth: {user_pool: eu-west-1_AbCdEf123, client_id: a, client_secret: "${COGNITO_CLIENT_SECRET}"}
session: {keys: ["${HUBGATE_KEY}"], redis: {mode: embedded}}
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	hash := func(change map[string]string) string {
		cfg, rep := config.Load(path, func(name string) string {
			if value, ok := change[name]; ok {
				return value
			}
			if value, ok := map[string]string{"POD_IP": "10.0.0.1", "ORIGIN": "http://127.0.0.1:9"}[name]; ok {
				return value
			}
			return configtest.Environment(name)
		})
		if rep.Failed() || cfg == nil {
			t.Fatal(rep.Lines())
		}
		return rep.SHA256
	}
	first := hash(nil)
	if other := hash(map[string]string{"POD_IP": "10.0.0.2"}); other != first {
		t.Error("another address of the pod changes the hash")
	}
	for _, change := range []map[string]string{
		{"ORIGIN": "http://127.0.0.1:10"}, {"COGNITO_CLIENT_SECRET": "another-secret-of-the-client"},
	} {
		if hash(change) == first {
			t.Errorf("%v does not change the hash", change)
		}
	}
}
