package redisclient

import (
	"time"
)

// Status is how much of Redis is available, from best to worst.
type Status int

const (
	Serving  Status = iota
	ReadOnly        // reads succeed, writes fail
	Down            // nothing succeeds
)

// Result is the result of one probe.
type Result struct {
	Err      error     // reads fail, or no new connection can be made
	WriteErr error     // reads succeed, writes fail
	since    time.Time // when the status changed to this one; zero before the first probe
}

// Status returns what the result means for commands.
func (r Result) Status() Status {
	switch {
	case r.Err != nil:
		return Down
	case r.WriteErr != nil:
		return ReadOnly
	}
	return Serving
}

// State is the state of Redis as of the last probe. The results of later commands do not change it.
type State struct {
	Down     bool      // Redis is unavailable
	ReadOnly bool      // reads succeed, writes fail
	Since    time.Time // when the state changed to this one; zero before the first probe
}
