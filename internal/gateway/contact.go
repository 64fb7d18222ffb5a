package gateway

import (
	"maps"
	"net/http"
	"strings"

	"github.com/hubgate/hubgate/hubspot/outbox"
	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/logging"
	"github.com/hubgate/hubgate/session"
)

// onLogin writes the audit line of a login and queues its contact before the visitor gets a response. If the contact
// cannot be queued, the login still succeeds.
func (g *gateway) onLogin(r *http.Request, s *session.Session, returnTo string) {
	facts := inbound.Of(r)
	login := loginOf(s, g.current.Load().cfg.Auth.GroupsClaim)
	login.FirstPage, login.Address = returnTo, facts.Client.String()
	login.UTK, login.OptedOut = hubspotCookies(r)
	attrs := []any{"action", "login", "outcome", "success", "client", facts.Client.String(),
		"session", s.Ref, logging.EmailKey, s.Email}
	if reason := facts.Outcome.Reason; reason != "" {
		attrs = append(attrs, "reason", reason)
	}
	logging.AuditLog(g.log).InfoContext(r.Context(), "login", attrs...)
	if err := g.contacts.Enqueue(r.Context(), login); err != nil {
		logging.Component(g.log, "hubspot").ErrorContext(r.Context(), "contact was not queued",
			"error", err, "session", s.Ref)
	}
}

// loginOf returns the contact data of a session. The groups are a claim like any other, also if there are none: the
// provider may leave them out then.
func loginOf(s *session.Session, groupsClaim string) outbox.Login {
	claims := map[string]any{}
	maps.Copy(claims, s.Claims)
	if groupsClaim != "" {
		claims[groupsClaim] = append([]string{}, s.Groups...)
	}
	return outbox.Login{
		Issuer: s.Issuer, Subject: s.Subject, Email: s.Email, EmailVerified: s.EmailVerified, Name: s.Name,
		Groups: s.Groups, Claims: claims, Host: s.Host, At: s.CreatedAt, SessionEnds: s.ExpiresAt,
	}
}

// hubspotCookies reads the cookies of HubSpot's tracking script: the visitor's id if there is exactly one, and whether
// the visitor opted out. An ambiguous cookie counts as opting out.
func hubspotCookies(r *http.Request) (utk string, optedOut bool) {
	if cookies := r.CookiesNamed("hubspotutk"); len(cookies) == 1 {
		utk = cookies[0].Value
	}
	for _, cookie := range r.CookiesNamed("__hs_opt_out") { // "no" means that the visitor agreed
		optedOut = optedOut || cookie.Value != "no"
	}
	return utk, optedOut || len(r.CookiesNamed("__hs_do_not_track")) > 0
}

// onLogout deletes HubSpot's cookies if the configuration asks for it. Otherwise HubSpot would attribute the visits of
// the next user of a shared computer to this contact.
func (gen *generation) onLogout(w http.ResponseWriter, r *http.Request) {
	if !gen.cfg.HubSpot.Visitors.ForgetOnLogout {
		return
	}
	// The script sets them on the widest domain that it may, so they are deleted for each parent domain, too. Browsers
	// ignore domains that the response may not set.
	host := inbound.HostOnly(r.Host)
	for _, name := range []string{"hubspotutk", "__hstc"} {
		http.SetCookie(w, &http.Cookie{Name: name, Path: "/", MaxAge: -1})
		for domain := host; strings.Contains(domain, "."); _, domain, _ = strings.Cut(domain, ".") {
			http.SetCookie(w, &http.Cookie{Name: name, Path: "/", Domain: domain, MaxAge: -1})
		}
	}
}
