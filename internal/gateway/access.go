package gateway

import (
	"context"
	"log/slog"
	"maps"
	"slices"

	"github.com/hubgate/hubgate/hubspot"
	"github.com/hubgate/hubgate/hubspot/access"
	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/ratelimit"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/logging"
	"github.com/hubgate/hubgate/internal/trace"
	"github.com/hubgate/hubgate/session"
)

// crmAccess is what HubSpot knows about visitors, with the clients that read it. It runs each question in a span.
type crmAccess struct {
	*access.Access
	urgent, spare *crm.Client
	tracer        *trace.Tracer
}

func (g *gateway) newAccess(cfg *config.Config, s *secrets) (*crmAccess, error) {
	http := g.newClient(dependency.HubSpotAPI, crmTimeout, crmMaxBody)
	reader := func(limit *ratelimit.Limiter) *crm.Client {
		return crm.New(cfg.HubSpot.CRM(), http, limit, s.hubspotToken)
	}
	a := &crmAccess{urgent: reader(g.contacts.VisitorReads()), spare: reader(g.contacts.SpareReads()), tracer: g.tracer}
	var err error
	a.Access, err = access.New(cfg.HubSpot.Access, access.Deps{
		Redis: g.redis.Request, Block: g.redis.Block, KeyPrefix: cfg.Session.Redis.KeyPrefix, Ring: g.ring,
		Urgent: a.urgent, Spare: a.spare, Token: s.hubspotToken, HubID: s.hubID,
		Rate: g.contacts.VisitorReads().Rate, Pause: g.contacts.VisitorReads().Pause,
		Log: logging.Component(g.log, "hubspot"), Metrics: access.NewMetrics(g.metrics.registry), Now: g.now,
	})
	return a, err
}

// Set applies a reloaded configuration.
func (a *crmAccess) Set(cfg hubspot.Config) {
	a.urgent.Set(cfg.CRM())
	a.spare.Set(cfg.CRM())
	a.Access.Set(cfg.Access)
}

// Know is Access.Know in a span.
func (a *crmAccess) Know(ctx context.Context, s *session.Session, denied bool) (*session.CRM, error) {
	if a.tracer == nil {
		return a.Access.Know(ctx, s, denied)
	}
	ctx, span := a.tracer.Start(ctx, "hubspot access", trace.Internal)
	defer span.End()
	known, err := a.Access.Know(ctx, s, denied)
	word := "known"
	if known == nil {
		word = "unknown"
	}
	span.Set(slog.String("hubgate.access", word))
	return known, err
}

// listsOf returns the names of the lists that a person is in, nil if that is not known, for /oauth2/userinfo, which
// never asks HubSpot. It is nil without lists.
func (g *gateway) listsOf(lists map[string]access.ListID) func(context.Context, *session.Session) []string {
	if len(lists) == 0 {
		return nil
	}
	return func(ctx context.Context, s *session.Session) []string {
		known := g.access.Held(ctx, s)
		if known == nil {
			return nil
		}
		names := []string{}
		for _, name := range slices.Sorted(maps.Keys(lists)) {
			in, asked := known.Lists[string(lists[name])]
			if !asked { // what was read before a reload
				return nil
			}
			if in {
				names = append(names, name)
			}
		}
		return names
	}
}
