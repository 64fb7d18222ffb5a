package fakehubspot

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// limits are the rate limits of the plan: a sliding window of ten seconds and a day.
type limits struct {
	window, day int
	now         func() time.Time

	mu        sync.Mutex // guards what follows
	recent    []time.Time
	usedToday int
	over      int
}

// admit counts a call and reports whether the window admits it, and how many calls were left for the day.
func (l *limits) admit(w http.ResponseWriter) (admitted bool, left int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	kept := l.recent[:0]
	for _, at := range l.recent {
		if now.Sub(at) < 10*time.Second {
			kept = append(kept, at)
		}
	}
	l.recent = kept
	left = l.day - l.usedToday
	l.usedToday++
	admitted = len(l.recent) < l.window
	if admitted {
		l.recent = append(l.recent, now)
	} else {
		l.over++
	}
	h := w.Header()
	h.Set("X-HubSpot-RateLimit-Max", strconv.Itoa(l.window))
	h.Set("X-HubSpot-RateLimit-Remaining", strconv.Itoa(l.window-len(l.recent)))
	h.Set("X-HubSpot-RateLimit-Interval-Milliseconds", "10000")
	h.Set("X-HubSpot-RateLimit-Daily", strconv.Itoa(l.day))
	h.Set("X-HubSpot-RateLimit-Daily-Remaining", strconv.Itoa(max(0, l.day-l.usedToday)))
	return admitted, left
}

// usage serves the number of calls today.
func (l *limits) usage(w http.ResponseWriter, _ *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]any{"results": []any{map[string]any{
		"name": "private-apps-api-calls-daily", "usageLimit": l.day, "currentUsage": l.usedToday,
		"resetsAt": l.now().UTC().Truncate(24 * time.Hour).Add(24 * time.Hour).Format(timeLayout),
	}}})
}

// NewDay resets the daily limit.
func (s *Server) NewDay() {
	s.limits.mu.Lock()
	defer s.limits.mu.Unlock()
	s.limits.usedToday = 0
}

// Over returns the number of calls over the plan's limit.
func (s *Server) Over() int {
	s.limits.mu.Lock()
	defer s.limits.mu.Unlock()
	return s.limits.over
}
