package gateway

import (
	"fmt"
	"strconv"

	"github.com/hubgate/hubgate/internal/admin"
	"github.com/hubgate/hubgate/internal/config"
)

// ownDescriptors are the file descriptors that hubgate needs besides those of visitors: for operators, three pools of
// Redis connections, the provider, HubSpot's API, listeners, files and watches.
const ownDescriptors = admin.MaxConnections + 256

// descriptorsFor returns how many file descriptors a configuration may need. A visitor has a connection to hubgate and
// one to the origin; a client of http_listen has one.
func descriptorsFor(cfg config.ServerConfig) uint64 {
	visitors := uint64(max(0, cfg.Limits.Connections))
	need := 2*visitors + ownDescriptors
	if cfg.TLS.HTTPListen != "" {
		need += visitors
	}
	return need
}

// checkDescriptors returns a problem and its cure if the process may open fewer files than its configuration may need.
func checkDescriptors(cfg config.ServerConfig, limit uint64) (problem, cure string) {
	need := descriptorsFor(cfg)
	if cfg.Limits.Connections == 0 || limit >= need {
		return "", ""
	}
	problem = fmt.Sprintf("server.limits.connections (%d) may need %d open files, but this process may open only %d: "+
		"visitors wait before that limit is reached", cfg.Limits.Connections, need, limit)
	cure = "allow " + strconv.FormatUint(need, 10) +
		" open files (systemd: LimitNOFILE; docker: --ulimit nofile; shell: ulimit -n)"
	each := (need - ownDescriptors) / uint64(cfg.Limits.Connections)
	if limit > ownDescriptors+each {
		cure += ", or set server.limits.connections to " + strconv.FormatUint((limit-ownDescriptors)/each, 10)
	}
	return problem, cure
}
