package auth

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hubgate/hubgate/auth/openid"
	"github.com/hubgate/hubgate/internal/setting"
)

// examined returns what check --live reports about one part.
func examined(t *testing.T, p *issuerOf, part string, change func(*Config)) setting.Finding {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Issuer, cfg.ClientID, cfg.ClientSecret = p.URL, "client", "secret"
	change(&cfg)
	log := slog.New(slog.DiscardHandler)
	provider, err := openid.New(cfg.OpenID(), openid.Deps{Client: providerClient(), Log: log, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	returns := []openid.ReturnURLs{{Callback: "https://www.example.com/oauth2/callback"}}
	for _, f := range provider.Examine(t.Context(), returns) {
		if f.Part == part {
			return f
		}
	}
	return setting.Finding{}
}

// A provider that accepts only one client authentication method may refuse the other with any error code.
func TestExamineFindsAcceptedClientAuth(t *testing.T) {
	t.Parallel()
	ways := map[string]func(*http.Request) bool{
		"body":   func(r *http.Request) bool { return r.PostFormValue("client_secret") == "secret" },
		"header": func(r *http.Request) bool { _, secret, ok := r.BasicAuth(); return ok && secret == "secret" },
		"none": func(r *http.Request) bool {
			return r.Header.Get("Authorization") == "" && !r.PostForm.Has("client_secret") && r.PostForm.Has("client_id")
		},
	}
	for right, takes := range ways {
		for _, refusal := range []string{"invalid_request", "invalid_client", "invalid_grant_type", "access_denied"} {
			for _, given := range []string{"header", "body"} {
				p := newIssuer(t)
				p.token = func(w http.ResponseWriter, r *http.Request) {
					r.ParseForm()
					code := refusal
					if takes(r) && r.PostForm.Get("redirect_uri") == "https://www.example.com/oauth2/callback" {
						code = "invalid_grant"
					}
					w.WriteHeader(http.StatusBadRequest)
					w.Write([]byte(oauthError(code)))
				}
				f := examined(t, p, "client", func(c *Config) { c.ClientAuth = given })
				if given == right && f.Status != setting.OK {
					t.Errorf("%s as it should be: %+v", given, f)
				}
				if given != right && (f.Status != setting.Failed || !strings.HasPrefix(f.Cure, "write client_auth: "+right)) {
					t.Errorf("%s instead of %s, refused with %s: %+v", given, right, refusal, f)
				}
			}
		}
	}
}

func TestExamineChecksUserinfoIfConfigured(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		userinfo, want, detail string
		asks                   bool
	}{
		"not configured": {"/nothing", "", "", false},
		"there":          {"/refuses", setting.OK, "/refuses", true},
		"no such page":   {"/nothing", setting.Failed, "status 404", true},
		"a login page":   {"/redirects", setting.Failed, "status 302", true},
		"cannot be read": {"://", setting.Failed, "no userinfo endpoint", true},
	} {
		p := newIssuer(t)
		inner := p.Config.Handler
		p.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/refuses":
				w.WriteHeader(http.StatusUnauthorized)
			case "/redirects":
				http.Redirect(w, r, "/login", http.StatusFound)
			default:
				inner.ServeHTTP(w, r)
			}
		})
		f := examined(t, p, "userinfo", func(cfg *Config) {
			cfg.ClaimsFromUserinfo = c.asks
			cfg.Endpoints = openid.Endpoints{Authorize: p.URL + "/authorize", Token: p.URL + "/token", JWKS: p.URL + "/jwks"}
			if c.userinfo != "://" {
				cfg.Endpoints.Userinfo = p.URL + c.userinfo
			}
		})
		if f.Status != c.want || !strings.Contains(f.Detail, c.detail) || f.Status == setting.Failed && f.Cure == "" {
			t.Errorf("%s: %+v", name, f)
		}
	}
}
