package gateway

import (
	"fmt"
	"net"

	"github.com/hubgate/hubgate/internal/admin"
	"github.com/hubgate/hubgate/internal/connlimit"
	"github.com/hubgate/hubgate/proxy/stricthttp"
)

// listeners are where the process is reached. plain, which answers ACME challenges and redirects to https, may be nil.
type listeners struct{ public, plain, admin net.Listener }

// listen opens all or none.
func (g *gateway) listen() (*listeners, error) {
	gen := g.current.Load()
	cfg := gen.cfg.Server
	places := []struct{ key, address string }{{"server.listen", cfg.Listen}, {"server.admin_listen", cfg.AdminListen}, {"server.tls.http_listen", cfg.TLS.HTTPListen}}
	var open [3]net.Listener
	for i, at := range places {
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
	l := &listeners{admin: admin.KeepNewest(open[1], admin.MaxConnections)}
	limited := g.limited(open[0], int(cfg.Limits.Connections))
	l.public = stricthttp.NewListener(limited, g.certs.tls(), cfg.Limits.HeaderTimeout.D())
	if open[2] != nil {
		l.plain = stricthttp.NewListener(g.limited(open[2], int(cfg.Limits.Connections)), nil, 0)
	}
	return l, nil
}

func (g *gateway) limited(l net.Listener, total int) net.Listener {
	return connlimit.New(l, total, func() connlimit.PerClient {
		gen := g.current.Load()
		return connlimit.PerClient{Limit: int(gen.cfg.Server.Limits.ConnectionsPerAddress), Exempt: gen.trusted}
	})
}
