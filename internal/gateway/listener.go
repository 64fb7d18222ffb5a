package gateway

import (
	"crypto/tls"
	"fmt"
	"net"

	"github.com/hubgate/hubgate/internal/admin"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/connlimit"
	"github.com/hubgate/hubgate/proxy/stricthttp"
)

// listeners are the open listeners of the process. plain, for ACME challenges and redirects to https, may be nil.
type listeners struct{ public, plain, admin net.Listener }

// listen opens all listeners, or none if one fails. It calls perClient for each connection.
func listen(cfg config.ServerConfig, tlsConfig *tls.Config, perClient func() connlimit.PerClient) (*listeners, error) {
	addresses := []struct{ key, address string }{
		{"server.listen", cfg.Listen}, {"server.admin_listen", cfg.AdminListen},
		{"server.tls.http_listen", cfg.TLS.HTTPListen},
	}
	var open [3]net.Listener
	for i, at := range addresses {
		if at.address == "" {
			continue
		}
		var err error
		if open[i], err = net.Listen("tcp", at.address); err != nil {
			for _, l := range open[:i] {
				l.Close()
			}
			return nil, fmt.Errorf("%s: %w", at.key, err)
		}
	}
	total := int(cfg.Limits.Connections)
	l := &listeners{admin: admin.KeepNewest(open[1], admin.MaxConnections)}
	l.public = stricthttp.NewListener(connlimit.New(open[0], total, perClient), tlsConfig, cfg.Limits.HeaderTimeout.D())
	if open[2] != nil {
		l.plain = stricthttp.NewListener(connlimit.New(open[2], total, perClient), nil, 0)
	}
	return l, nil
}

// perClient returns the current limit of one client's connections.
func (gen *generation) perClient() connlimit.PerClient {
	return connlimit.PerClient{Limit: int(gen.cfg.Server.Limits.ConnectionsPerAddress), Exempt: gen.trusted}
}
