package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
)

// clientBody remembers whether reading the visitor's body failed, so that a broken body is not blamed on the origin (SM-04).
type clientBody struct {
	io.ReadCloser
	failure atomic.Pointer[error]
}

func (b *clientBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.failure.Store(&err)
	}
	return n, err
}

// fail answers when the origin did not, or the visitor's own body broke off. Nothing was sent yet when it is called.
func (g *Gate) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := passingOf(r.Context())
	r = p.in // the visitor's, not the one made for the origin
	p.out.final = true
	LeaveUnread(w, r)
	facts := inbound.Of(r)
	facts.Outcome.Err = err
	facts.Outcome.Decision = "error"
	if failure := p.body.failure.Load(); failure != nil {
		g.failBody(w, r, *failure)
		return
	}
	if errors.Is(err, context.Canceled) { // the visitor went away, or the session of a stream ended
		facts.Outcome.Reason = "client_gone"
		panic(http.ErrAbortHandler)
	}
	reason := reasonOf(err)
	g.deps.Metrics.errors.WithLabelValues(reason).Inc()
	facts.Outcome.Reason = "upstream_" + reason
	answer := page.Page{Name: page.BadGateway, Status: http.StatusBadGateway, Cause: reason}
	if reason == "timeout" {
		answer = page.Page{Name: page.GatewayTimeout, Status: http.StatusGatewayTimeout, Cause: reason}
	}
	g.deps.Pages.Write(w, r, answer)
}

func (g *Gate) failBody(w http.ResponseWriter, r *http.Request, failure error) {
	closeAfter(w, r) // where the body ends, nobody knows any more
	outcome := &inbound.Of(r).Outcome
	var tooLarge *http.MaxBytesError
	if errors.As(failure, &tooLarge) {
		outcome.Decision, outcome.Reason = string(Refuse), "body_too_large"
		g.deps.Pages.Write(w, r, page.Page{Name: page.TooLarge, Status: http.StatusRequestEntityTooLarge})
		return
	}
	outcome.Decision, outcome.Reason = string(Refuse), "body"
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
