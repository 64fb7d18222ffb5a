package redisserver

import (
	"strings"
	"testing"
)

// redisError is an error that Redis returned.
type redisError string

func (e redisError) Error() string { return string(e) }
func (redisError) RedisError()     {}

// A warning whose cure cannot be applied would stay forever and hide the others.
func TestWarningsOfHostedRedisCanBeCured(t *testing.T) {
	t.Parallel()
	const unknown = redisError("ERR unknown command 'config', with args beginning with: 'get'")
	for name, c := range map[string]struct {
		info   map[string]string
		denied error
		cures  []string // one for each warning
		never  string   // what cannot be done there
	}{
		"ElastiCache": {
			info: map[string]string{"os": "Amazon ElastiCache", "aof_enabled": "0", "maxmemory_policy": "volatile-lru",
				"role": "master"},
			cures: []string{"parameter group of your own", "Multi-AZ"}, denied: unknown, never: "appendonly yes",
		},
		"ElastiCache with a replica": {
			info: map[string]string{"os": "Amazon ElastiCache", "aof_enabled": "0", "connected_slaves": "1",
				"maxmemory_policy": "noeviction"},
			denied: unknown,
		},
		"ElastiCache that has no replica": {
			info:  map[string]string{"os": "Amazon ElastiCache", "aof_enabled": "0", "connected_slaves": "0"},
			cures: []string{"MemoryDB"}, denied: unknown, never: "appendonly yes",
		},
		"ElastiCache's reader": {
			info:  map[string]string{"os": "Amazon ElastiCache", "role": "slave"},
			cures: []string{"primary endpoint"}, denied: unknown, never: "sentinel",
		},
		"MemoryDB": {
			info: map[string]string{"os": "Amazon MemoryDB", "aof_enabled": "0"}, denied: unknown,
		},
		"another service": {
			info: map[string]string{"aof_enabled": "0"}, denied: unknown, cures: []string{"automatic failover"},
		},
		"another service with a replica": {
			info: map[string]string{"aof_enabled": "0", "connected_slaves": "2"}, denied: unknown,
		},
		"our own": {
			info: map[string]string{"aof_enabled": "0", "connected_slaves": "2"}, cures: []string{"set appendonly yes"},
		},
		"our own, with an ACL": {
			info: map[string]string{"aof_enabled": "0"}, denied: redisError("NOPERM no permissions"),
			cures: []string{"set appendonly yes"}, never: "service",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := Examination{}
			x.warn(c.info, "", "", providerOf(c.info, c.denied))
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
