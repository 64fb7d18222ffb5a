package redisserver

import (
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
)

// remedy describes how and where to change a setting of Redis.
type remedy struct{ cure, where string }

// provider describes who runs a Redis server, which decides what the operator can change: a hosted one has no
// configuration file.
type provider struct {
	policy, persistence, fsync, role remedy

	replicated bool // the service replaces a failed server with a replica instead of restarting it empty
	durable    bool // the service keeps every write, regardless of appendonly
}

const (
	ownFile          = "Redis' configuration"
	ownGroup         = "set maxmemory-policy noeviction in a parameter group of your own"
	ownFileOrConsole = "Redis' configuration, or the console of the service that runs it"
)

var (
	ownRedis = provider{
		policy:      remedy{"set maxmemory-policy noeviction", ownFile},
		persistence: remedy{"set appendonly yes", ownFile},
		fsync:       remedy{"set appendfsync everysec or always", ownFile},
		role:        remedy{"name the master, or use mode sentinel", ownFile},
	}
	hostedRedis = provider{
		policy: remedy{"set maxmemory-policy noeviction", ownFileOrConsole},
		persistence: remedy{"set appendonly yes; at a hosted Redis without it: turn on the service's persistence, " +
			"or a replica with automatic failover", ownFileOrConsole},
		fsync:      ownRedis.fsync,
		role:       remedy{"name the master (a service calls it the primary endpoint)", ownFileOrConsole},
		replicated: true,
	}
	// ElastiCache has no CONFIG, and no AOF since Redis 2.8.22; its default parameter groups cannot be changed.
	elastiCache = provider{
		policy: remedy{ownGroup, "ElastiCache's parameter group"},
		persistence: remedy{"ElastiCache has no AOF: add a replica and turn on Multi-AZ with automatic failover, " +
			"or use MemoryDB", "ElastiCache's console"},
		fsync:      ownRedis.fsync,
		role:       remedy{"name the primary endpoint", "session.redis.urls"},
		replicated: true,
	}
	// MemoryDB acknowledges a write when its transaction log has it.
	memoryDB = provider{
		policy:  remedy{ownGroup, "MemoryDB's parameter group"},
		role:    remedy{"name the cluster endpoint, and write mode: cluster", "session.redis.urls, session.redis.mode"},
		fsync:   ownRedis.fsync,
		durable: true,
	}
)

// providerOf recognizes the provider by the reply to INFO and the error of CONFIG: an ACL returns NOPERM, a hosted
// Redis does not know the command.
func providerOf(info map[string]string, denied error) provider {
	switch os := info["os"]; {
	case strings.Contains(os, "ElastiCache"):
		return elastiCache
	case strings.Contains(os, "MemoryDB"):
		return memoryDB
	case errors.As(denied, new(redis.Error)) && !strings.HasPrefix(denied.Error(), "NOPERM"):
		return hostedRedis
	}
	return ownRedis
}

// keeps reports whether sessions survive the failure of a server without AOF.
func (p provider) keeps(info map[string]string) bool {
	return p.durable || p.replicated && info["connected_slaves"] != "" && info["connected_slaves"] != "0"
}
