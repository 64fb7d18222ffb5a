package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
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
	ended, gone := context.Cause(p.Context) == errSessionEnded, errors.Is(err, context.Canceled)
	switch {
	case ended:
		facts.Outcome.Err = errSessionEnded
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
	case ended:
		g.sessionEnded(w, r, p)
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

// sessionEnded responds to a request whose session ended before anything was sent.
func (g *Gate) sessionEnded(w http.ResponseWriter, r *http.Request, p *exchange) {
	failed(r, rules.Login, "session_ended")
	g.loginRequired(w, r, p.path)
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
