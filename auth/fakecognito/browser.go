package fakecognito

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	ssoCookie = "cognito"
	ssoTime   = time.Hour
	codeTime  = 5 * time.Minute
)

// authorize starts a login, or returns a code without one while the SSO cookie is valid.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s.mu.Lock()
	defer s.mu.Unlock()
	client := s.client(q.Get("client_id"))
	switch {
	case client == nil:
		errorPage(w, r, "invalid_client", q.Get("client_id"))
		return
	case !slices.Contains(client.CallbackURLs, q.Get("redirect_uri")): // the app receives no error
		errorPage(w, r, "redirect_mismatch", client.ID)
		return
	}
	if code := requestError(q); code != "" {
		redirectToApp(w, r, q, url.Values{"error": {code}})
		return
	}
	if in := s.loggedIn(r); in != nil && !strings.Contains(q.Get("prompt"), "login") {
		s.finish(w, r, q, in)
		return
	}
	if q.Get("prompt") == "none" {
		redirectToApp(w, r, q, url.Values{"error": {"login_required"}})
		return
	}
	http.Redirect(w, r, "/login?"+r.URL.RawQuery, http.StatusFound)
}

func requestError(q url.Values) string {
	switch {
	case q.Get("response_type") != "code":
		return "invalid_request"
	case (q.Get("code_challenge") == "") != (q.Get("code_challenge_method") == ""),
		q.Has("code_challenge_method") && q.Get("code_challenge_method") != "S256":
		return "invalid_request"
	case q.Has("scope") && !slices.Contains(strings.Fields(q.Get("scope")), "openid"):
		return "invalid_scope"
	}
	return ""
}

// redirectToApp redirects to the app with values and the request's state.
func redirectToApp(w http.ResponseWriter, r *http.Request, q, values url.Values) {
	if q.Has("state") {
		values.Set("state", q.Get("state"))
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+values.Encode(), http.StatusFound)
}

func (s *Server) loggedIn(r *http.Request) *login {
	c, err := r.Cookie(ssoCookie)
	if err != nil {
		return nil
	}
	in := s.browsers[c.Value]
	if in == nil || s.cfg.Now().Sub(in.at) > ssoTime {
		return nil
	}
	return in
}

// finish redirects to the app with a code that can be used once within five minutes.
func (s *Server) finish(w http.ResponseWriter, r *http.Request, q url.Values, in *login) {
	scope := q.Get("scope")
	if scope == "" {
		scope = "openid email profile phone"
	}
	code := rand.Text()
	s.codes[code] = &grant{
		user: in.user, client: q.Get("client_id"), redirectURI: q.Get("redirect_uri"),
		challenge: q.Get("code_challenge"), nonce: q.Get("nonce"), scope: scope, authTime: in.at,
		expires: s.cfg.Now().Add(codeTime), family: new(bool),
	}
	redirectToApp(w, r, q, url.Values{"code": {code}})
}

func (s *Server) showLogin(w http.ResponseWriter, r *http.Request) {
	loginPage(w, http.StatusOK, r.URL.RawQuery, "")
}

func (s *Server) doLogin(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	if err := r.ParseForm(); err != nil {
		loginPage(w, http.StatusBadRequest, "", "The form could not be read.")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	user := s.userNamed(strings.ToLower(strings.TrimSpace(r.PostForm.Get("username"))))
	if user == nil || user.Password != r.PostForm.Get("password") {
		// The same message in both cases does not reveal whether the account exists (user enumeration, CWE-204).
		loginPage(w, http.StatusOK, r.URL.RawQuery, "Incorrect username or password.")
		return
	}
	q := r.URL.Query()
	client := s.client(q.Get("client_id"))
	if client == nil || !slices.Contains(client.CallbackURLs, q.Get("redirect_uri")) {
		errorPage(w, r, "redirect_mismatch", q.Get("client_id"))
		return
	}
	in, id := &login{user, s.cfg.Now()}, rand.Text()
	s.browsers[id] = in
	http.SetCookie(w, &http.Cookie{Name: ssoCookie, Value: id, Path: "/", HttpOnly: true,
		SameSite: http.SameSiteLaxMode, MaxAge: int(ssoTime.Seconds())})
	s.finish(w, r, q, in)
}

// logout deletes the SSO cookie and nothing else. It is not OpenID Connect's RP-initiated logout: it requires client_id
// and a logout_uri that exactly matches a configured one.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s.mu.Lock()
	defer s.mu.Unlock()
	client := s.client(q.Get("client_id"))
	if client == nil || !slices.Contains(client.LogoutURLs, q.Get("logout_uri")) {
		errorPage(w, r, "Required parameters missing", q.Get("client_id"))
		return
	}
	if c, err := r.Cookie(ssoCookie); err == nil {
		delete(s.browsers, c.Value)
	}
	http.SetCookie(w, &http.Cookie{Name: ssoCookie, Path: "/", MaxAge: -1})
	http.Redirect(w, r, q.Get("logout_uri"), http.StatusFound)
}

func errorPage(w http.ResponseWriter, r *http.Request, code, client string) {
	http.Redirect(w, r, "/error?"+url.Values{"error": {code}, "client_id": {client}}.Encode(), http.StatusFound)
}
