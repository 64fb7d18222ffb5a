package auth

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/page"
)

// replies writes the pages of logins, and counts failed ones.
type replies struct {
	pages   *page.Pages
	metrics *Metrics
	prefix  string // auth.prefix
	result  string // of the logins that it counts
}

// reported returns replies that count what only the address of a callback says. No alert may take it for a failure of
// the provider, because anyone can make up such an address.
func (p replies) reported() replies {
	p.result = resultReported
	return p
}

func (p replies) count(reason string) { p.metrics.finished.WithLabelValues(p.result, reason).Inc() }

// retryAfter is the Retry-After of 503 responses.
const retryAfter = 5 * time.Second

// failure is a login that cannot be finished. returnTo is the page that the visitor wanted.
type failure struct {
	status   int
	cause    string
	returnTo string
}

// failed shows why a login could not be finished, with a link to a new one.
func (p replies) failed(w http.ResponseWriter, r *http.Request, f failure) {
	if o := &inbound.Of(r).Outcome; o.Reason == "" {
		o.Reason = f.cause // every failed login has a reason in the log
	}
	p.count(f.cause)
	answer := page.Page{Name: page.LoginFailed, Status: f.status, Cause: f.cause, Links: p.retryOrHome(f.returnTo)}
	if f.status == http.StatusServiceUnavailable {
		answer.RetryAfter = retryAfter
	}
	p.pages.Write(w, r, answer)
}

// storeUnavailable shows that a login could not be finished without Redis, with a link to retry as in unavailable.
func (p replies) storeUnavailable(w http.ResponseWriter, r *http.Request, retry string) {
	p.count(causeStore)
	p.unavailable(w, r, causeStore, retry)
}

// unavailable asks the visitor to try again at the address retry, or at the same address if retry is empty.
func (p replies) unavailable(w http.ResponseWriter, r *http.Request, cause, retry string) {
	p.pages.Write(w, r, page.Page{
		Name: page.Unavailable, Status: http.StatusServiceUnavailable, Cause: cause, RetryAfter: retryAfter,
		Links: []page.Link{{Label: page.LabelRetry, URL: retry}, {Label: page.LabelHome, URL: "/"}},
	})
}

// providerUnavailable asks the visitor to begin the login again later.
func (p replies) providerUnavailable(w http.ResponseWriter, r *http.Request, returnTo string) {
	p.count(causeProvider)
	p.unavailable(w, r, causeUnreachable, p.startURL(returnTo))
}

// misconfigured shows that the site's settings are wrong, and that trying again does not help.
func (p replies) misconfigured(w http.ResponseWriter, r *http.Request) {
	p.count(causeSettings)
	p.pages.Write(w, r, page.Page{
		Name: page.Misconfigured, Status: http.StatusInternalServerError, Cause: causeSettings,
	})
}

// loop shows the cause of a login loop.
func (p replies) loop(w http.ResponseWriter, r *http.Request, cause string, links []page.Link) {
	p.metrics.loops.WithLabelValues(cause).Inc()
	note(r, "loop_"+cause, nil)
	p.pages.Write(w, r, page.Page{Name: page.Loop, Status: http.StatusBadRequest, Cause: cause, Links: links})
}

// loginRequired answers requests that cannot be redirected to the provider, such as those of scripts, frames and
// images.
func (p replies) loginRequired(w http.ResponseWriter, r *http.Request, returnTo string) {
	start := p.startURL(returnTo)
	p.pages.Write(w, r, page.Page{
		Name: page.LoginRequired, Status: http.StatusUnauthorized, LoginURL: start,
		Links: []page.Link{{Label: page.LabelLogin, URL: start}},
	})
}

// startURL returns the URL that begins a login to a page.
func (p replies) startURL(returnTo string) string {
	return p.prefix + "/start?rd=" + url.QueryEscape(returnTo)
}

func (p replies) retryOrHome(returnTo string) []page.Link {
	return []page.Link{{Label: page.LabelRetry, URL: p.startURL(returnTo)}, {Label: page.LabelHome, URL: "/"}}
}

// invalidForm is the page for a form that cannot be read.
func invalidForm(err error) page.Page {
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return page.Page{Name: page.TooLarge, Status: http.StatusRequestEntityTooLarge}
	}
	return page.Page{Name: page.Refused, Status: http.StatusBadRequest, Cause: "body"}
}

// redirect redirects without leaving the login in a cache, where it would reach another visitor (CWE-524).
func redirect(w http.ResponseWriter, location string) {
	w.Header().Set("Location", location)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(http.StatusFound)
}
