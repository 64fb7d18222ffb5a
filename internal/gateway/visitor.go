package gateway

import (
	"net/http"
	"strings"

	"github.com/hubgate/hubgate/internal/inbound"
)

// hubspotCookies reads what HubSpot's tracking script left in the browser: the visitor's id when there is exactly one, and whether
// the visitor opted out. In doubt they did.
func hubspotCookies(r *http.Request) (utk string, optedOut bool) {
	if cookies := r.CookiesNamed("hubspotutk"); len(cookies) == 1 {
		utk = cookies[0].Value
	}
	for _, cookie := range r.CookiesNamed("__hs_opt_out") { // "no" is left by a visitor who agreed
		optedOut = optedOut || cookie.Value != "no"
	}
	return utk, optedOut || len(r.CookiesNamed("__hs_do_not_track")) > 0
}

// onLogout forgets the browser's HubSpot history when the operator wants that: on a shared computer the next person's visits would
// be tied to this one's contact.
func (gen *generation) onLogout(w http.ResponseWriter, r *http.Request) {
	if !gen.cfg.HubSpot.Visitors.ForgetOnLogout {
		return
	}
	// HubSpot's script sets them on the widest domain it may, so each parent is named too; browsers ignore what is not theirs to set.
	host := inbound.HostOnly(r.Host)
	for _, name := range []string{"hubspotutk", "__hstc"} {
		http.SetCookie(w, &http.Cookie{Name: name, Path: "/", MaxAge: -1})
		for domain := host; strings.Contains(domain, "."); _, domain, _ = strings.Cut(domain, ".") {
			http.SetCookie(w, &http.Cookie{Name: name, Path: "/", Domain: domain, MaxAge: -1})
		}
	}
}
