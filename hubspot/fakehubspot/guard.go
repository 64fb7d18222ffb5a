package fakehubspot

import (
	"crypto/subtle"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
)

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
		if scope := missingScope(r, s.cfg.Scopes); scope != "" {
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
		if randomFault(rec, s.cfg.FaultPercent) {
			return
		}
		r.Body = http.MaxBytesReader(rec, r.Body, 10<<20)
		next.ServeHTTP(rec, r)
	})
}

// equal compares tokens in constant time.
func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// missingScope returns the scope that a call needs and the token lacks.
func missingScope(r *http.Request, granted []string) string {
	if granted == nil {
		return ""
	}
	needed := ""
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/batch/upsert") || r.Method == http.MethodPatch:
		needed = "crm.objects.contacts.write"
	case strings.Contains(path, "/objects"):
		needed = "crm.objects.contacts.read"
	case strings.Contains(path, "/properties/") && r.Method == http.MethodPost:
		needed = "crm.schemas.contacts.write"
	case strings.Contains(path, "/properties/"):
		needed = "crm.schemas.contacts.read"
	case strings.HasPrefix(path, "/cms/"):
		needed = "content"
	case strings.HasPrefix(path, "/submissions/"), strings.HasPrefix(path, "/marketing/"):
		needed = "forms"
	}
	if slices.Contains(granted, needed) {
		return ""
	}
	return needed
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
