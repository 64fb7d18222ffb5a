package redisserver

import (
	"strings"
	"testing"
)

// redisError is an error that Redis returned.
type redisError string

func (e redisError) Error() string { return string(e) }
func (redisError) RedisError()     {}

const unknownConfig = redisError("ERR unknown command 'config', with args beginning with: 'get'")

// hostedServers are servers, and what an operator can do there about each warning.
var hostedServers = map[string]struct {
	info   map[string]string
	denied error
	cures  []string // one for each warning
	never  string   // what cannot be done there
}{
	"ElastiCache": {
		info: map[string]string{"os": "Amazon ElastiCache", "aof_enabled": "0", "maxmemory_policy": "volatile-lru",
			"role": "master"},
		cures: []string{"parameter group of your own", "Multi-AZ"}, denied: unknownConfig, never: "appendonly yes",
	},
	"ElastiCache with a replica": {
		info: map[string]string{"os": "Amazon ElastiCache", "aof_enabled": "0", "connected_slaves": "1",
			"maxmemory_policy": "noeviction"},
		denied: unknownConfig,
	},
	"ElastiCache that has no replica": {
		info:  map[string]string{"os": "Amazon ElastiCache", "aof_enabled": "0", "connected_slaves": "0"},
		cures: []string{"MemoryDB"}, denied: unknownConfig, never: "appendonly yes",
	},
	"ElastiCache's reader": {
		info:  map[string]string{"os": "Amazon ElastiCache", "role": "slave"},
		cures: []string{"primary endpoint"}, denied: unknownConfig, never: "sentinel",
	},
	"MemoryDB": {
		info: map[string]string{"os": "Amazon MemoryDB", "aof_enabled": "0"}, denied: unknownConfig,
	},
	"another service": {
		info: map[string]string{"aof_enabled": "0"}, denied: unknownConfig, cures: []string{"automatic failover"},
	},
	"another service with a replica": {
		info: map[string]string{"aof_enabled": "0", "connected_slaves": "2"}, denied: unknownConfig,
	},
	"our own": {
		info: map[string]string{"aof_enabled": "0", "connected_slaves": "2"}, cures: []string{"set appendonly yes"},
	},
	"our own, with an ACL": {
		info: map[string]string{"aof_enabled": "0"}, denied: redisError("NOPERM no permissions"),
		cures: []string{"set appendonly yes"}, never: "service",
	},
}

// A warning whose cure cannot be applied would stay forever and hide the others.
func TestWarningsOfHostedRedisCanBeCured(t *testing.T) {
	t.Parallel()
	for name, c := range hostedServers {
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
