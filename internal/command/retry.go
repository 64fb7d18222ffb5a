package command

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/hubgate/hubgate/internal/background"
)

// CallError is a failed call of the admin API.
type CallError struct {
	status int // of the response, 0 if there was none
	err    error
}

func (e *CallError) Error() string { return e.err.Error() }
func (e *CallError) Unwrap() error { return e.err }

// isTransient reports whether the same call may succeed soon: the gateway restarts, or waits for Redis.
func (e *CallError) isTransient() bool {
	switch e.status {
	case 0, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// IsRefused reports whether the gateway rejected the request itself, so that a repeat changes nothing.
func (e *CallError) IsRefused() bool { return e.status >= 400 && e.status < 500 }

// retryFor limits the waits for a gateway that does not respond.
const retryFor = time.Minute

// RetryTransient repeats a call that fails with a transient error, with growing pauses of a minute in total. It calls
// waiting before each pause.
func RetryTransient(ctx context.Context, waiting func(error), call func() error) error {
	pause, left := time.Second, retryFor
	for {
		err := call()
		var failed *CallError
		if !errors.As(err, &failed) || !failed.isTransient() || left <= 0 || ctx.Err() != nil {
			return err
		}
		waiting(err)
		pause = min(pause, left)
		if !background.Sleep(ctx, pause) {
			return ctx.Err()
		}
		pause, left = 2*pause, left-pause
	}
}
