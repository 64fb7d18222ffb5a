package session

import "strings"

// remedy is how a setting of Redis is changed, and where.
type remedy struct{ cure, where string }

// host is who runs a Redis, as far as it decides what its user can change: a hosted one has no configuration file.
type host struct {
	policy, persistence, fsync, role remedy
	// replicated: the service puts a replica in the place of a server that fails, and does not restart it empty.
	replicated bool
	durable    bool // the service keeps every write, whatever appendonly says
}

const (
	ownFile          = "Redis' configuration"
	ownGroup         = "set maxmemory-policy noeviction in a parameter group of your own"
	ownFileOrConsole = "Redis' configuration, or the console of the service that runs it"
)

var (
	ownRedis = host{
		policy:      remedy{"set maxmemory-policy noeviction", ownFile},
		persistence: remedy{"set appendonly yes", ownFile},
		fsync:       remedy{"set appendfsync everysec or always", ownFile},
		role:        remedy{"name the master, or use mode sentinel", ownFile},
	}
	hostedRedis = host{
		policy: remedy{"set maxmemory-policy noeviction", ownFileOrConsole},
		persistence: remedy{"set appendonly yes; at a hosted Redis without it: turn on the service's persistence, " +
			"or a replica with automatic failover", ownFileOrConsole},
		fsync:      ownRedis.fsync,
		role:       remedy{"name the master (a service calls it the primary endpoint)", ownFileOrConsole},
		replicated: true,
	}
	// ElastiCache has no CONFIG, and no AOF since Redis 2.8.22; its default parameter groups cannot be changed.
	elastiCache = host{
		policy: remedy{ownGroup, "ElastiCache's parameter group"},
		persistence: remedy{"ElastiCache has no AOF: add a replica and turn on Multi-AZ with automatic failover, " +
			"or use MemoryDB", "ElastiCache's console"},
		fsync:      ownRedis.fsync,
		role:       remedy{"name the primary endpoint", "session.redis.urls"},
		replicated: true,
	}
	// MemoryDB acknowledges a write when its transaction log has it.
	memoryDB = host{
		policy:  remedy{ownGroup, "MemoryDB's parameter group"},
		role:    remedy{"name the cluster endpoint, and write mode: cluster", "session.redis.urls, session.redis.mode"},
		fsync:   ownRedis.fsync,
		durable: true,
	}
)

// hostOf finds out who runs a Redis by its INFO, and by how it refuses CONFIG: an ACL answers NOPERM, a service does
// not know the command.
func hostOf(said map[string]string, refused error) host {
	switch os := said["os"]; {
	case strings.Contains(os, "ElastiCache"):
		return elastiCache
	case strings.Contains(os, "MemoryDB"):
		return memoryDB
	case refused != nil && isReply(refused) && !strings.HasPrefix(refused.Error(), "NOPERM"):
		return hostedRedis
	}
	return ownRedis
}

// keeps reports whether sessions survive the failure of a server although it has no AOF.
func (h host) keeps(said map[string]string) bool {
	return h.durable || h.replicated && said["connected_slaves"] != "" && said["connected_slaves"] != "0"
}
