package command

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestRetryTransientGivesUpAfterAMinute(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err   error
		waits time.Duration
	}{
		{&CallError{0, errors.New("connection refused")}, time.Minute},
		{&CallError{http.StatusServiceUnavailable, errors.New("Redis is unavailable")}, time.Minute},
		{&CallError{http.StatusConflict, errors.New("contact sync is off")}, 0},
		{&CallError{http.StatusInternalServerError, errors.New("a bug")}, 0},
		{errors.New("the file was changed"), 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			err := RetryTransient(t.Context(), func(error) {}, func() error { return c.err })
			if !errors.Is(err, c.err) || time.Since(start) != c.waits {
				t.Errorf("%v after %v, want %v after %v", err, time.Since(start), c.err, c.waits)
			}
		})
	}
}
