package page

import (
	"bytes"
	"cmp"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/hubgate/hubgate/internal/inbound"
)

// Write sends the page as HTML or as its JSON twin, depending on the request, and sets the security headers. It removes
// headers of an abandoned response that describe another body.
func (p *Pages) Write(w http.ResponseWriter, r *http.Request, pg Page) {
	pg.Status = cmp.Or(pg.Status, defaultStatus[pg.Name], http.StatusInternalServerError)
	v := p.view(r, pg)
	html := wantsHTML(r)
	p.setHeaders(w.Header(), pg, html)
	if framed(r, pg) {
		w.Header().Set("X-Frame-Options", "SAMEORIGIN")
		w.Header().Set("Content-Security-Policy", p.policy(pg, html, "'self'"))
	}
	w.Header().Set("Content-Language", v.Lang)
	if html {
		p.send(w, r, pg.Status, "text/html; charset=utf-8", p.render(v))
		return
	}
	body, contentType := twin(pg, v)
	p.send(w, r, pg.Status, contentType, body)
}

func (p *Pages) send(w http.ResponseWriter, r *http.Request, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // fails only if the client has disconnected
	}
}

// setHeaders sets the headers that all pages share.
func (p *Pages) setHeaders(h http.Header, pg Page, html bool) {
	for _, name := range []string{"Content-Encoding", "Content-Range", "Etag", "Last-Modified", "Expires", "Age"} {
		h.Del(name)
	}
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY") // clickjacking (CWE-1021) in browsers without frame-ancestors
	h.Set("X-Robots-Tag", "noindex")
	// The callback's URL contains code and state, which no other site may see (RFC 9700, section 4.2). A page with a
	// form keeps Referer and Origin on its own host: otherwise its POST request would have the Origin "null".
	h.Set("Referrer-Policy", "no-referrer")
	if html && len(pg.Forms) > 0 {
		h.Set("Referrer-Policy", "same-origin")
	}
	h.Set("Content-Security-Policy", p.policy(pg, html, "'none'"))
	h.Add("Vary", "Accept")
	if p.cfg.Language == auto {
		h.Add("Vary", "Accept-Language")
	}
	if pg.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(pg.RetryAfter.Seconds()))))
	}
}

// framed reports whether the page may be shown in a frame on the same site. Only the page that replaces a protected
// frame may. It has a link that leaves the frame, and no form that clickjacking (CWE-1021) could abuse.
func framed(r *http.Request, pg Page) bool {
	dest := r.Header.Get("Sec-Fetch-Dest")
	return pg.Name == LoginRequired && len(pg.Forms) == 0 && (dest == "iframe" || dest == "frame")
}

// policy returns the Content-Security-Policy, which forbids everything that the page does not need. Markup that was not
// escaped could then not run, load, frame or post anything (cross-site scripting, CWE-79).
func (p *Pages) policy(pg Page, html bool, ancestors string) string {
	parts := []string{"default-src 'none'", "base-uri 'none'", "frame-ancestors " + ancestors}
	action := "'none'"
	if html {
		parts = append(parts, p.styleSource, p.imageSource)
		if len(pg.Forms) > 0 {
			action = strings.Join(append([]string{"'self'"}, pg.FormOrigins...), " ")
		}
	}
	return strings.Join(append(parts, "form-action "+action), "; ")
}

func (p *Pages) render(v view) []byte {
	var out bytes.Buffer
	if err := p.layout.Execute(&out, v); err != nil {
		// An operator's template can fail on data that New did not try. The visitor still sees the status.
		text := http.StatusText(v.Status)
		return []byte("<!doctype html><title>" + text + "</title><p>" + text + "<p>" + v.RequestID)
	}
	return out.Bytes()
}

// siteName returns the configured name of the site, or else its host.
func (p *Pages) siteName(r *http.Request) string {
	return cmp.Or(p.cfg.SiteName, host(r))
}

// home returns the address of the home page, or "" if the request is for an unknown host, which has none.
func home(r *http.Request) string {
	if inbound.Of(r).Site == nil {
		return ""
	}
	return "/"
}

func host(r *http.Request) string {
	if site := inbound.Of(r).Site; site != nil {
		return site.Host
	}
	return ""
}

// defaultStatus is the status of each page whose caller sets none.
var defaultStatus = map[Name]int{
	LoginFailed: 400, LoginRequired: 401, NothingSaved: 401, Forbidden: 403, LoginTooOld: 403, Refused: 400, Loop: 400,
	Scheme: 400, Misdirected: 421, NotFound: 404, MethodRefused: 405, TooLarge: 413, TooMany: 429, Unavailable: 503,
	Misconfigured: 500, InternalError: 500, BadGateway: 502, GatewayTimeout: 504, SignOut: 200, SignedOut: 200,
	MySession: 200,
	TestLogin: 200,
}
