package session

import (
	"strings"
	"testing"
)

// A warning whose cure cannot be applied stays for ever, and hides the others.
func TestWarningsOfAHostedRedisCanBeCured(t *testing.T) {
	t.Parallel()
	const unknown = answer("ERR unknown command 'config', with args beginning with: 'get'")
	for name, c := range map[string]struct {
		said    map[string]string
		refused error
		cures   []string // one for each warning
		never   string   // what cannot be done there
	}{
		"ElastiCache": {
			said: map[string]string{"os": "Amazon ElastiCache", "aof_enabled": "0", "maxmemory_policy": "volatile-lru",
				"role": "master"},
			cures: []string{"parameter group of your own", "Multi-AZ"}, refused: unknown, never: "appendonly yes",
		},
		"ElastiCache with a replica": {
			said: map[string]string{"os": "Amazon ElastiCache", "aof_enabled": "0", "connected_slaves": "1",
				"maxmemory_policy": "noeviction"},
			refused: unknown,
		},
		"ElastiCache that has no replica": {
			said:  map[string]string{"os": "Amazon ElastiCache", "aof_enabled": "0", "connected_slaves": "0"},
			cures: []string{"MemoryDB"}, refused: unknown, never: "appendonly yes",
		},
		"ElastiCache's reader": {
			said:  map[string]string{"os": "Amazon ElastiCache", "role": "slave"},
			cures: []string{"primary endpoint"}, refused: unknown, never: "sentinel",
		},
		"MemoryDB": {
			said: map[string]string{"os": "Amazon MemoryDB", "aof_enabled": "0"}, refused: unknown,
		},
		"another service": {
			said: map[string]string{"aof_enabled": "0"}, refused: unknown, cures: []string{"automatic failover"},
		},
		"another service with a replica": {
			said: map[string]string{"aof_enabled": "0", "connected_slaves": "2"}, refused: unknown,
		},
		"our own": {
			said: map[string]string{"aof_enabled": "0", "connected_slaves": "2"}, cures: []string{"set appendonly yes"},
		},
		"our own, with an ACL": {
			said: map[string]string{"aof_enabled": "0"}, refused: answer("NOPERM no permissions"),
			cures: []string{"set appendonly yes"}, never: "service",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := Examination{}
			x.warn(c.said, "", "", hostOf(c.said, c.refused))
			if len(x.Warnings) != len(c.cures) {
				t.Fatalf("%+v", x.Warnings)
			}
			for i, w := range x.Warnings {
				if !strings.Contains(w.Cure, c.cures[i]) || w.Where == "" {
					t.Errorf("%+v", w)
				}
				if c.never != "" && strings.Contains(w.Cure, c.never) {
					t.Errorf("it cannot be done there: %+v", w)
				}
			}
		})
	}
}
