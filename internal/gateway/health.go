package gateway

import (
	"time"

	"github.com/hubgate/hubgate/internal/admin"
	"github.com/hubgate/hubgate/internal/dependency"
)

// health collects the state of every part as it was last seen; it sends no request.
func (g *gateway) health() admin.Health {
	gen := g.current.Load()
	site := g.metrics.dependencies.Health(dependency.HubSpotSite)
	checks := map[string]admin.Check{
		"redis":        admin.NewCheck(g.sessions.Health()),
		"idp":          providerHealth(gen, g.metrics.dependencies),
		"hubspot_site": admin.NewCheck(site.OK, site.Detail, site.Since),
		"hubspot_api":  admin.NewCheck(g.contacts.Health()),
		"config":       g.reloader.health(gen),
	}
	if detail, since, wrong := g.clock.Health(); wrong {
		checks["clock"] = admin.NewCheck(false, detail, since)
	}
	if detail, since, wrong := g.access.Health(); wrong {
		checks["hubspot_access"] = admin.NewCheck(false, detail, since)
	}
	if expired, ok := g.certs.health(time.Now()); !ok {
		checks["certificate"] = expired
	}
	if complete, detail, since := g.lines.Health(); !complete {
		checks["audit_log"] = admin.NewCheck(false, detail, since)
	}
	return admin.NewHealth(checks, g.drainer.draining.Load())
}

// providerHealth combines the provider's own errors with the probe.
func providerHealth(gen *generation, metrics *dependency.Metrics) admin.Check {
	check := admin.NewCheck(gen.provider.Health())
	if probe := metrics.Health(dependency.IDP); check.OK && !probe.OK {
		check = admin.NewCheck(false, probe.Detail, probe.Since)
	}
	if check.Since.IsZero() { // no request was sent yet
		check.Since = gen.loadedAt
	}
	return check
}
