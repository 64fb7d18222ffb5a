package fakehubspot

import (
	"crypto/subtle"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
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
		if scope := s.missingScope(r); scope != "" {
			writeError(rec, http.StatusForbidden, problem{
				Message:  "This app hasn't been granted all required scopes to make this call.",
				Category: "MISSING_SCOPES",
				Errors: []detail{{Message: "One or more of the following scopes are required.",
					Context: map[string][]string{"requiredGranularScopes": {scope}}}},
			})
			return
		}
		switch admitted, left := s.admit(rec); {
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
		if s.randomFault(rec) {
			return
		}
		r.Body = http.MaxBytesReader(rec, r.Body, 10<<20)
		next.ServeHTTP(rec, r)
	})
}

// equal compares tokens in constant time.
func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// missingScope returns the scope that a call needs and the token lacks.
func (s *Server) missingScope(r *http.Request) string {
	if s.cfg.Scopes == nil {
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
	case strings.HasPrefix(path, "/submissions/"):
		needed = "forms"
	}
	if slices.Contains(s.cfg.Scopes, needed) {
		return ""
	}
	return needed
}

// admit counts a call against the sliding window of ten seconds and the daily limit, and returns how many calls were
// left for the day.
func (s *Server) admit(w http.ResponseWriter) (admitted bool, day int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Now()
	kept := s.window[:0]
	for _, at := range s.window {
		if now.Sub(at) < 10*time.Second {
			kept = append(kept, at)
		}
	}
	s.window = kept
	day = s.cfg.Daily - s.usedToday
	s.usedToday++
	admitted = len(s.window) < s.cfg.Limit
	if admitted {
		s.window = append(s.window, now)
	} else {
		s.overLimit++
	}
	h := w.Header()
	h.Set("X-HubSpot-RateLimit-Max", strconv.Itoa(s.cfg.Limit))
	h.Set("X-HubSpot-RateLimit-Remaining", strconv.Itoa(s.cfg.Limit-len(s.window)))
	h.Set("X-HubSpot-RateLimit-Interval-Milliseconds", "10000")
	h.Set("X-HubSpot-RateLimit-Daily", strconv.Itoa(s.cfg.Daily))
	h.Set("X-HubSpot-RateLimit-Daily-Remaining", strconv.Itoa(max(0, s.cfg.Daily-s.usedToday)))
	return admitted, day
}

// NewDay resets the daily limit.
func (s *Server) NewDay() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.usedToday = 0
}

// randomFault makes a share of the valid requests fail.
func (s *Server) randomFault(w http.ResponseWriter) bool {
	if rand.IntN(100) >= s.cfg.FaultPercent {
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

// Over returns the number of calls over the plan's limit.
func (s *Server) Over() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.overLimit
}
