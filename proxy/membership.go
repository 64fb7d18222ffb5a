package proxy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
	"github.com/hubgate/hubgate/proxy/rules"
	"github.com/hubgate/hubgate/session"
)

// errCRMUnknown is why a visitor gets 503 although the session is known.
var errCRMUnknown = errors.New("it is unknown whether HubSpot's lists or properties admit this person")

// crmWait is how long a request waits for HubSpot.
const crmWait = 2 * time.Second

// judge decides about a session, nil for an anonymous visitor. It asks what HubSpot knows only if the decision depends
// on that, so that other visitors never wait for it. It returns the session that was judged, and why the decision is
// unknown, if it is.
//
// A person who was just added to a list must not be denied for as long as an old answer is kept: a denial is decided
// again by a recent one. Both questions together take crmWait at most.
func (g *Gate) judge(
	ctx context.Context, s *session.Session, decide func(*session.Session) rules.Decision,
) (rules.Decision, *session.Session, error) {
	d := decide(s)
	if !d.Unknown() || g.deps.CRM == nil {
		return d, s, errCRMUnknown
	}
	ctx, cancel := context.WithTimeout(ctx, crmWait)
	defer cancel()
	known, err := g.deps.CRM.Know(ctx, s, false)
	judged := withCRM(s, known)
	if d = decide(judged); d.Reason == rules.ReasonLists || d.Reason == rules.ReasonProperties {
		known, err = g.deps.CRM.Know(ctx, s, true)
		judged = withCRM(s, known)
		d = decide(judged)
	}
	if err == nil {
		return d, judged, errCRMUnknown
	}
	return d, judged, fmt.Errorf("%w: %w", errCRMUnknown, err)
}

// withCRM returns a copy of a session, which other requests share, with what HubSpot knows about its person.
func withCRM(s *session.Session, known *session.CRM) *session.Session {
	judged := *s
	judged.CRM = known
	return &judged
}

// crmUnavailable is the page for a request about whose visitor HubSpot's answer is unknown.
func crmUnavailable() page.Page {
	answer := unavailable()
	answer.Cause = "crm"
	return answer
}

// membershipUnknown responds 503 to a user about whom HubSpot's answer is unknown. This page stays closed; the session,
// and pages of other rules, are not affected.
func (g *Gate) membershipUnknown(w http.ResponseWriter, r *http.Request, v visit) {
	setOutcome(r, rules.Decision{Kind: "error", Reason: "crm", Rule: v.decision.Rule}, v.session)
	inbound.Of(r).Outcome.Err = v.unknown
	if r.Context().Err() != nil { // a visitor who left is not an error of HubSpot
		failed(r, "error", "client_gone")
		panic(http.ErrAbortHandler)
	}
	g.crmUnknown(w, r)
}

// crmUnknown writes that page. It does not look at the request's context, which ends with a watched exchange.
func (g *Gate) crmUnknown(w http.ResponseWriter, r *http.Request) {
	answer := crmUnavailable()
	answer.Forms = []page.Form{g.deps.Login.SwitchForm(r)}
	answer.FormOrigins = g.deps.Login.FormOrigins()
	answer.Links = []page.Link{{Label: page.LabelHome, URL: "/"}}
	if r.Method == http.MethodGet {
		answer.Links = append([]page.Link{{Label: page.LabelRetry}}, answer.Links...) // the same address
	}
	g.deps.Pages.Write(w, r, answer)
}

// changed is CRM.Watch. The visitor of a public page is not known.
func (g *Gate) changed(s *session.Session) (<-chan struct{}, func()) {
	if s == nil || g.deps.CRM == nil {
		return nil, func() {}
	}
	return g.deps.CRM.Watch(s)
}
