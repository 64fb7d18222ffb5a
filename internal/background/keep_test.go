package background

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestKeepRestartsAfterAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		start, runs, end := time.Now(), 0, errors.New("the end")
		err := Keep(t.Context(), slog.New(slog.NewTextHandler(&log, nil)), "queue", func(context.Context) error {
			if runs++; runs <= 3 {
				panic("a bug")
			}
			return end
		})
		if !errors.Is(err, end) || runs != 4 || time.Since(start) != 3*restartPause {
			t.Errorf("%v after %d runs and %s", err, runs, time.Since(start))
		}
		if n := strings.Count(log.String(), "part=queue"); n != 3 || !strings.Contains(log.String(), "a bug") {
			t.Errorf("%d panics are logged:\n%s", n, log.String())
		}
	})
}

func TestKeepEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		runs := 0
		err := Keep(ctx, slog.New(slog.DiscardHandler), "queue", func(context.Context) error {
			if runs++; runs == 3 {
				cancel()
			}
			panic(runs)
		})
		if err != nil || runs != 3 {
			t.Errorf("%v after %d runs", err, runs)
		}
	})
}
