package auth

import (
	"context"
	"errors"
	"net/url"
	"time"

	"golang.org/x/oauth2"

	"github.com/hubgate/hubgate/internal/dependency"
)

// alarm is a setting of ours that the provider's token endpoint refuses.
type alarm struct {
	grant  grantType // that was refused
	detail string
	since  time.Time
}

// grantType is what the token endpoint is asked for.
type grantType string

const (
	grantCode    grantType = "authorization_code"
	grantRefresh grantType = "refresh_token"
)

// Health reports whether the provider can be used, in words for the operator. It goes by the provider's own answers to
// the gateway: nothing that a browser brings changes it.
func (p *Provider) Health() (ok bool, detail string, since time.Time) {
	if a := p.alarm.Load(); a != nil {
		return false, a.detail, a.since
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.found != nil:
		return true, "answers", p.found.since
	case p.fault != nil:
		return false, p.fault.Error(), p.faultSince
	}
	return true, "not asked yet", time.Time{}
}

// raise notes that the token endpoint refuses a setting of ours. It is logged once, until it ends.
func (p *Provider) raise(g grantType, detail string) {
	if p.alarm.CompareAndSwap(nil, &alarm{g, detail, p.deps.Now()}) {
		p.deps.Log.Error("the provider refuses the gateway's settings: logins fail until they are fixed", "detail", detail)
	}
}

// lower ends the alarm when the token endpoint has accepted the grant that it refused before.
func (p *Provider) lower(g grantType) {
	if a := p.alarm.Load(); a != nil && a.grant == g && p.alarm.CompareAndSwap(a, nil) {
		p.deps.Log.Info("the provider accepts the gateway's settings again", "detail", a.detail)
	}
}

// Probe asks the provider whether it answers: for its discovery document, or its keys where the configuration names the
// endpoints. A refusal of the gateway's settings is tried again as well, so that its end needs no visitor.
func (p *Provider) Probe(ctx context.Context) error {
	p.mu.Lock()
	e := p.found
	p.mu.Unlock()
	if e == nil {
		found, err := p.discovered(ctx)
		if err != nil {
			return err
		}
		e = found
	} else if _, err := p.fetchEndpoints(ctx); err != nil {
		return err
	}
	if p.cfg.Endpoints != (Endpoints{}) {
		_, version := e.keys.current()
		if _, err := e.keys.refresh(ctx, fromGateway, version); err != nil {
			return err
		}
	}
	p.tryAlarm(ctx, e)
	return nil
}

// tryAlarm repeats what the token endpoint refused with a code or a refresh token that cannot exist. The answer
// invalid_grant means that the client was accepted. Whatever else comes back proves nothing, and the alarm stays.
func (p *Provider) tryAlarm(ctx context.Context, e *endpoints) {
	a := p.alarm.Load()
	if a == nil {
		return
	}
	var code string
	var err error
	if a.grant == grantCode {
		code, err = p.tryCode(ctx, e, p.cfg, callbackOf(nil))
	} else {
		code, err = p.tryRefresh(ctx, e)
	}
	if err == nil && code == "invalid_grant" {
		p.lower(a.grant)
	}
}

// tryRefresh spends a refresh token that cannot exist and returns the OAuth error code.
func (p *Provider) tryRefresh(ctx context.Context, e *endpoints) (code string, err error) {
	grant := url.Values{"grant_type": {string(grantRefresh)}, "refresh_token": {"hubgate-check"}}
	_, err = p.requestToken(ctx, e, dependency.OpRefresh, grant)
	var answer *oauth2.RetrieveError
	if errors.As(err, &answer) {
		return answer.ErrorCode, nil
	}
	return "", err
}
