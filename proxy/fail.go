package proxy

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/hubgate/hubgate/internal/background"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/proxy/rules"
)

// fail responds if the origin failed, the visitor's body failed, or the session ended. If part of the response was
// sent, it aborts the response.
func (g *Gate) fail(_ http.ResponseWriter, out *http.Request, err error) {
	p := exchangeOf(out.Context())
	r := p.in // not the request to the origin
	facts := inbound.Of(r)
	if bug := (*background.Panic)(nil); errors.As(err, &bug) {
		panic(bug)
	}
	failure, reason := p.body.failure.Load(), reasonOf(err)
	ended, gone := p.ended.Load(), errors.Is(err, context.Canceled)
	switch {
	case ended != nil:
		facts.Outcome.Err = fmt.Errorf("%w: %s", errEnded, ended.Reason)
	case failure == nil && !gone:
		g.deps.Metrics.errors.WithLabelValues(reason).Inc()
		fallthrough
	case !p.out.sent: // a visitor who leaves during a response is not an error
		facts.Outcome.Err = err
	}
	if p.out.sent {
		p.out.reset(r)
		panic(http.ErrAbortHandler)
	}
	w := p.out.replace()
	switch {
	case ended != nil:
		g.refuseEnded(w, r, p, *ended)
	case failure != nil:
		g.failBody(w, r, *failure)
	case gone:
		failed(r, "error", "client_gone")
		panic(http.ErrAbortHandler)
	default:
		failed(r, "error", "upstream_"+reason)
		answer := page.Page{Name: page.BadGateway, Status: http.StatusBadGateway, Cause: reason}
		if reason == "timeout" {
			answer = page.Page{Name: page.GatewayTimeout, Status: http.StatusGatewayTimeout, Cause: reason}
		}
		g.deps.Pages.Write(w, r, answer)
	}
}

// failed records why a request that was admitted failed. The rule stays.
func failed(r *http.Request, decision rules.Kind, reason string) {
	o := &inbound.Of(r).Outcome
	o.Set(o.Rule, string(decision), reason)
}

// refuseEnded responds to a request that a watch ended before anything was sent. Only if the session has ended, or is
// too old, does it ask for a login: another one would not change the answer of HubSpot.
func (g *Gate) refuseEnded(w http.ResponseWriter, r *http.Request, p *exchange, d rules.Decision) {
	o := &inbound.Of(r).Outcome
	rule := cmp.Or(d.Rule.Name, o.Rule)
	o.Set(rule, string(d.Kind), d.Reason)
	switch {
	case d.Unknown():
		o.Set(rule, "error", "crm")
		o.Err = errCRMUnknown
		g.crmUnknown(w, r)
	case d.Kind == "error":
		g.deps.Pages.Write(w, r, unavailable())
	case d.Kind == rules.Login:
		g.loginRequired(w, r, p.path)
	case d.Kind == rules.Forbid && p.session != nil: // it is nil if the page was public when it was asked for
		g.forbid(w, r, d, p.session)
	default:
		g.refuse(w, r, d)
	}
}

// tooLarge responds to a request whose body is larger than max_request_body.
func (g *Gate) tooLarge(w http.ResponseWriter, r *http.Request) {
	failed(r, rules.Refuse, "body_too_large")
	g.deps.Pages.Write(w, r, page.Page{Name: page.TooLarge, Status: http.StatusRequestEntityTooLarge})
}

// failBody responds to a request whose body cannot be read.
func (g *Gate) failBody(w http.ResponseWriter, r *http.Request, failure error) {
	closeAfter(w, r) // the next request cannot be found after it
	var limit *http.MaxBytesError
	if errors.As(failure, &limit) {
		g.tooLarge(w, r)
		return
	}
	failed(r, rules.Refuse, "body")
	g.deps.Pages.Write(w, r, page.Page{Name: page.Refused, Status: http.StatusBadRequest, Cause: "body"})
}

// reasonOf returns why the origin failed, as a value of a metric label.
func reasonOf(err error) string {
	var timeout net.Error
	var op *net.OpError
	var record tls.RecordHeaderError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid *tls.CertificateVerificationError
	switch {
	case errors.As(err, &record), errors.As(err, &unknown), errors.As(err, &name), errors.As(err, &invalid),
		errors.As(err, &op) && strings.HasSuffix(op.Op, " error"): // "remote error", "local error": a TLS alert
		return "tls"
	case errors.As(err, &op) && op.Op == "dial":
		if op.Timeout() {
			return "timeout"
		}
		return "dial"
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return "reset"
}
