package openid

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"

	"github.com/hubgate/hubgate/internal/dependency"
)

// grantType is the grant_type of a request to the token endpoint.
type grantType string

const (
	grantCode    grantType = "authorization_code"
	grantRefresh grantType = "refresh_token"
)

// alarm is raised while the token endpoint refuses the gateway's settings.
type alarm struct {
	log     *slog.Logger
	now     func() time.Time
	current atomic.Pointer[refusedSettings]
}

type refusedSettings struct {
	grant  grantType
	detail string
	since  time.Time
}

// raise notes and logs that the token endpoint refuses a setting. Until it ends, further calls do nothing.
func (a *alarm) raise(g grantType, detail string) {
	if a.current.CompareAndSwap(nil, &refusedSettings{g, detail, a.now()}) {
		a.log.Error("the provider refuses the gateway's settings; logins fail until they are fixed", "detail", detail)
	}
}

// end ends the alarm after the token endpoint has accepted the grant type that it had refused.
func (a *alarm) end(g grantType) {
	if s := a.current.Load(); s != nil && s.grant == g && a.current.CompareAndSwap(s, nil) {
		a.log.Info("the provider accepts the gateway's settings again", "detail", s.detail)
	}
}

// Health reports whether the provider is usable, with a detail for the operator. It depends only on the provider's
// responses to the gateway: visitors cannot change it.
func (p *Provider) Health() (ok bool, detail string, since time.Time) {
	if s := p.alarm.current.Load(); s != nil {
		return false, s.detail, s.since
	}
	return p.discovery.health()
}

// Probe checks that the provider is usable: that it answers, by its discovery document, or by its keys where the
// endpoints are configured, and that its token endpoint does not refuse the gateway's settings. It retries refused
// settings, so that the alarm can end without a visitor.
func (p *Provider) Probe(ctx context.Context) error {
	m := p.discovery.known()
	if m == nil {
		found, err := p.discovery.discover(ctx)
		if err != nil {
			return err
		}
		m = found
	} else if _, err := p.discovery.fetch(ctx); err != nil {
		return err
	}
	if p.cfg.Endpoints != (Endpoints{}) {
		_, version := m.keys.current()
		if _, err := m.keys.refresh(ctx, fromGateway, version); err != nil {
			return err
		}
	}
	p.retryAlarm(ctx, m)
	if s := p.alarm.current.Load(); s != nil {
		return errors.New(s.detail)
	}
	return nil
}

// retryAlarm repeats the refused grant type with a code or refresh token that cannot exist. The error invalid_grant
// means that the client was accepted. Any other response proves nothing, and the alarm stays.
func (p *Provider) retryAlarm(ctx context.Context, m *metadata) {
	s := p.alarm.current.Load()
	if s == nil {
		return
	}
	var err error
	if s.grant == grantCode {
		err = p.tokens.tryCode(ctx, m, examineCallback)
	} else {
		_, err = p.tokens.request(ctx, dependency.OpRefresh, m.Token, refreshGrant("hubgate-check"))
	}
	var refusal *Refusal
	if errors.As(err, &refusal) && refusal.code == "invalid_grant" {
		p.alarm.end(s.grant)
	}
}

// tryCode exchanges a code that cannot exist, as a login does. It returns nil only if the provider sends tokens.
func (t tokenEndpoint) tryCode(ctx context.Context, m *metadata, callback string) error {
	code := Code{Code: "hubgate-check", RedirectURI: callback, Verifier: oauth2.GenerateVerifier()}
	_, err := t.request(ctx, dependency.OpToken, m.Token, code.grant())
	return err
}
