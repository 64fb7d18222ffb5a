package gateway

import (
	"fmt"
	"strconv"

	"github.com/hubgate/hubgate/internal/admin"
	"github.com/hubgate/hubgate/internal/config"
)

// ownDescriptors are what hubgate needs besides its visitors: operators, three pools of Redis connections, the
// provider, HubSpot's API, listeners, files and watches.
const ownDescriptors = admin.MaxConnections + 256

// descriptorsFor is how many descriptors a configuration may need: a visitor has a connection here and one to the
// origin, and whoever comes to http_listen has one.
func descriptorsFor(cfg config.ServerConfig) uint64 {
	visitors := uint64(max(0, cfg.Limits.Connections))
	need := 2*visitors + ownDescriptors
	if cfg.TLS.HTTPListen != "" {
		need += visitors
	}
	return need
}

// checkDescriptors says what is wrong when the process may have fewer descriptors than its configuration can need.
func checkDescriptors(cfg config.ServerConfig, most uint64) (problem, cure string) {
	need := descriptorsFor(cfg)
	if cfg.Limits.Connections == 0 || most >= need {
		return "", ""
	}
	problem = fmt.Sprintf("server.limits.connections (%d) can need %d open files, and this process may have %d: "+
		"visitors will wait before that limit is reached", cfg.Limits.Connections, need, most)
	cure = "let it open " + strconv.FormatUint(need, 10) + " files (systemd: LimitNOFILE; docker: --ulimit nofile; shell: ulimit -n)"
	each := (need - ownDescriptors) / uint64(cfg.Limits.Connections)
	if most > ownDescriptors+each {
		cure += ", or set server.limits.connections to " + strconv.FormatUint((most-ownDescriptors)/each, 10)
	}
	return problem, cure
}
