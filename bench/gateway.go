package main

import (
	"cmp"
	"fmt"
	"net"

	"github.com/hubgate/hubgate/internal/seal"
)

const (
	adminToken = "bench-admin-token"
	clientID   = "bench"
	clientKey  = "bench-client-secret"
)

// gatewayConfig is the part of the configuration that differs between gateways.
type gatewayConfig struct {
	name     string
	origin   string // address
	redis    string // address
	key      string // for session.keys
	issuer   string
	cacheTTL string
	access   bool   // write the access log
	host     string // public host; "" = localhost with the gateway's own port

	outageGrace string // "" = the default
}

// gateway is a running hubgate.
type gateway struct {
	*process
	addr, admin, host, path string
}

// site returns the public host of a gateway that listens on addr.
func site(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return "localhost:" + port
}

func (t *testbed) gateway(c gatewayConfig) (*gateway, error) {
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	admin, err := freeAddress()
	if err != nil {
		return nil, err
	}
	g := &gateway{addr: addr, admin: admin, host: c.host}
	if g.host == "" {
		g.host = site(addr)
	}
	if g.path, err = t.save(c.name+".yaml", c.yaml(g)); err != nil {
		return nil, err
	}
	if g.process, err = t.start(c.name, t.hubgate, "serve", "--config", g.path); err != nil {
		return nil, err
	}
	return g, g.waitListening(t.ctx, addr)
}

func (c gatewayConfig) yaml(g *gateway) string {
	return fmt.Sprintf(`version: 1
server:
  public_urls: ["http://%s"]
  listen: "%s"
  admin_listen: "%s"
  admin_token: %s
  pprof: true
  limits: {idle_timeout: 10m}
proxy:
  origin: "http://%s"
  default: public
  rules:
    - path: /members/**
    - path: /partners/**
      groups: [partner]
auth:
  issuer: "%s"
  client_id: %s
  client_secret: %s
  groups_claim: cognito:groups
  logout: cognito
  login_rate: none
session:
  keys: ["%s"]
  cache_ttl: %s
  outage_grace: %s
  redis: {urls: ["redis://%s/0"]}
log: {access: %t}
`, g.host, g.addr, g.admin, adminToken, c.origin, c.issuer, clientID, clientKey, c.key, c.cacheTTL,
		cmp.Or(c.outageGrace, "2m"), c.redis, c.access)
}

// newKey returns a new key for session.keys.
func newKey() string { return seal.NewKey() }
