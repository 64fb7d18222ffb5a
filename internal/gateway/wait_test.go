package gateway

import (
	"testing"
	"time"
)

// eventually waits for what another goroutine does. The limit is far beyond what it takes: it ends a hang, it measures
// nothing.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for tick := time.NewTicker(20 * time.Millisecond); !done(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}
