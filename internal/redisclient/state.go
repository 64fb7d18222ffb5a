package redisclient

import (
	"time"
)

// State is the state of Redis as hubgate's own probe last found it. What a visitor's command met does not change
// it.
type State struct {
	Down     bool      // Redis does not answer, or says that it cannot serve
	ReadOnly bool      // it serves reads and takes no writes
	Since    time.Time // zero until Redis was asked
}
