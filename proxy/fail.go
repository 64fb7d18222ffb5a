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

// fail answers when the origin did not, when the visitor's own body broke off, or when the session ended meanwhile.
// After something was sent, it breaks off.
func (g *Gate) fail(_ http.ResponseWriter, out *http.Request, err error) {
	p := exchangeOf(out.Context())
	r := p.in // the visitor's, not the one made for the origin
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
	case !p.out.sent: // a visitor who leaves a page half read is no error
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
		facts.Outcome.Decision, facts.Outcome.Reason = "error", "client_gone"
		panic(http.ErrAbortHandler)
	default:
		facts.Outcome.Decision, facts.Outcome.Reason = "error", "upstream_"+reason
		answer := page.Page{Name: page.BadGateway, Status: http.StatusBadGateway, Cause: reason}
		if reason == "timeout" {
			answer = page.Page{Name: page.GatewayTimeout, Status: http.StatusGatewayTimeout, Cause: reason}
		}
		g.deps.Pages.Write(w, r, answer)
	}
}

// sessionEnded answers a request whose session ended before the visitor was sent anything.
func (g *Gate) sessionEnded(w http.ResponseWriter, r *http.Request, p *exchange) {
	outcome := &inbound.Of(r).Outcome
	outcome.Decision, outcome.Reason = string(rules.Login), "session_ended"
	g.loginRequired(w, r, p.path)
}

func (g *Gate) failBody(w http.ResponseWriter, r *http.Request, failure error) {
	closeAfter(w, r) // where the body ends, nobody knows any more
	outcome := &inbound.Of(r).Outcome
	var tooLarge *http.MaxBytesError
	if errors.As(failure, &tooLarge) {
		outcome.Decision, outcome.Reason = string(rules.Refuse), "body_too_large"
		g.deps.Pages.Write(w, r, page.Page{Name: page.TooLarge, Status: http.StatusRequestEntityTooLarge})
		return
	}
	outcome.Decision, outcome.Reason = string(rules.Refuse), "body"
	g.deps.Pages.Write(w, r, page.Page{Name: page.Refused, Status: http.StatusBadRequest, Cause: "body"})
}

// reasonOf sorts what can go wrong with the origin: the values of a metric label.
func reasonOf(err error) string {
	var timeout net.Error
	var op *net.OpError
	var record tls.RecordHeaderError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid *tls.CertificateVerificationError
	switch {
	case errors.As(err, &record), errors.As(err, &unknown), errors.As(err, &name), errors.As(err, &invalid),
		errors.As(err, &op) && strings.HasSuffix(op.Op, " error"): // "remote error", "local error": an alert in the handshake
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
