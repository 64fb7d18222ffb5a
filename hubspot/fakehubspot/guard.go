package fakehubspot

import (
	"crypto/subtle"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
)

const maxBody = 10 << 20

// guard checks the token, its scopes and the rate limits before each call, and injects random faults.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recorder{ResponseWriter: w, status: http.StatusOK}
		defer func() { s.record(r, rec) }()
		token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !bearer || token == "" || s.cfg.Token != "" && !equal(token, s.cfg.Token) {
			writeError(rec, http.StatusUnauthorized,
				problem{Message: "Authentication credentials not found or invalid.",
					Category: "INVALID_AUTHENTICATION"})
			return
		}
		if scope := s.missingScope(r); scope != "" {
			writeError(rec, http.StatusForbidden, problem{
				Message:  "This app hasn't been granted all required scopes to make this call.",
				Category: "MISSING_SCOPES",
				Errors: []detail{{Message: "One or more of the following scopes are required.",
					Context: map[string][]string{"requiredGranularScopes": {scope}}}},
			})
			return
		}
		switch admitted, left := s.limits.admit(rec); {
		case left <= 0:
			writeError(rec, http.StatusTooManyRequests, problem{
				Message: "You have reached your daily limit.", Category: "RATE_LIMITS", ErrorType: "RATE_LIMIT",
				PolicyName: "DAILY",
			})
			return
		case !admitted:
			writeError(rec, http.StatusTooManyRequests, problem{
				Message: "You have reached your ten_secondly_rolling limit.", Category: "RATE_LIMITS",
				ErrorType: "RATE_LIMIT", PolicyName: "TEN_SECONDLY_ROLLING",
			})
			return
		}
		if writesContacts(r) && randomFault(rec, s.cfg.FaultPercent) { // reads decide who may enter, and a visitor waits
			return
		}
		r.Body = http.MaxBytesReader(rec, r.Body, maxBody)
		next.ServeHTTP(rec, r)
	})
}

// equal compares tokens in constant time.
func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// missingScope returns the scope that a call needs and the token lacks.
func (s *Server) missingScope(r *http.Request) string {
	needed := scopes(r)
	if len(needed) == 0 {
		return ""
	}
	allowed := s.cfg.Scopes == nil ||
		slices.ContainsFunc(needed, func(scope string) bool { return slices.Contains(s.cfg.Scopes, scope) })
	for _, part := range s.cfg.Forbidden {
		allowed = allowed && !strings.Contains(r.URL.Path, part)
	}
	if allowed {
		return ""
	}
	return needed[0]
}

// writesContacts reports whether a call changes contacts.
func writesContacts(r *http.Request) bool {
	_, area, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/crm/"), "/contacts")
	return strings.HasPrefix(r.URL.Path, "/crm/objects/") &&
		(r.Method == http.MethodPatch || area == "/batch/upsert" || area == "" && r.Method == http.MethodPost)
}

// scopes returns the scopes of which a call needs one.
func scopes(r *http.Request) []string {
	switch path := r.URL.Path; {
	case writesContacts(r):
		return []string{"crm.objects.contacts.write"}
	case strings.HasPrefix(path, "/crm/objects/"):
		return []string{"crm.objects.contacts.read"}
	case strings.HasPrefix(path, "/crm/properties/") && r.Method == http.MethodPost:
		return []string{"crm.schemas.contacts.write"}
	case strings.HasPrefix(path, "/crm/properties/"):
		return []string{"crm.schemas.contacts.read", "crm.objects.contacts.read"}
	case strings.HasPrefix(path, "/crm/lists/"):
		return []string{"crm.lists.read"}
	case strings.HasSuffix(path, "/site-pages"):
		return []string{"content", "content.site_pages.read"}
	case strings.HasSuffix(path, "/landing-pages"):
		return []string{"content", "content.landing_pages.read"}
	case strings.HasPrefix(path, "/cms/"):
		return []string{"content"}
	case strings.HasPrefix(path, "/submissions/"), strings.HasPrefix(path, "/marketing/"):
		return []string{"forms"}
	}
	return nil
}

// randomFault fails a request with the given probability, and reports whether it did.
func randomFault(w http.ResponseWriter, percent int) bool {
	if rand.IntN(100) >= percent {
		return false
	}
	switch rand.IntN(3) {
	case 0:
		writeError(w, http.StatusTooManyRequests, problem{
			Message: "You have reached your secondly limit.", Category: "RATE_LIMITS", ErrorType: "RATE_LIMIT",
			PolicyName: "SECONDLY",
		})
	case 1:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte("<html><body>502 Bad Gateway</body></html>"))
	default:
		writeError(w, http.StatusServiceUnavailable,
			problem{Message: "Service temporarily unavailable.", Category: "SERVICE_UNAVAILABLE"})
	}
	return true
}
