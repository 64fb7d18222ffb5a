package cli

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/hubgate/hubgate/internal/background"
)

// callError is a failed call of the admin API.
type callError struct {
	status int // of the response, 0 if there was none
	err    error
}

func (e *callError) Error() string { return e.err.Error() }
func (e *callError) Unwrap() error { return e.err }

// isTransient reports whether the same call may succeed soon: the gateway restarts, or waits for Redis.
func (e *callError) isTransient() bool {
	switch e.status {
	case 0, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// isRefused reports whether the gateway rejected the request itself, so that a repeat changes nothing.
func (e *callError) isRefused() bool { return e.status >= 400 && e.status < 500 }

// retryFor limits the waits for a gateway that does not respond.
const retryFor = time.Minute

// retryTransient repeats a call that fails with a transient error, with growing pauses of a minute in total. It calls
// waiting before each pause.
func retryTransient(ctx context.Context, waiting func(error), call func() error) error {
	pause, left := time.Second, retryFor
	for {
		err := call()
		var failed *callError
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
