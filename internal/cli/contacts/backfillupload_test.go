package contacts

import (
	"testing"
	"time"
)

func TestRetryPauseIsBounded(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[float64]time.Duration{
		1e300: time.Minute, 1e10: time.Minute, 60: time.Minute, 2.5: 2500 * time.Millisecond, 1e-300: time.Second,
	} {
		if got := retryPause(seconds); got != want {
			t.Errorf("%g: %s", seconds, got)
		}
	}
}
