package background

import (
	"context"
	"log/slog"
	"time"
)

// restartPause is how long a part that panicked rests before it starts again.
const restartPause = time.Second

// Keep runs a part of the process and returns its error. If the part panics, Keep logs the panic and starts the part
// again after a second, until ctx ends: a bug that outside input triggers in one part must not end the process.
func Keep(ctx context.Context, log *slog.Logger, name string, part func(context.Context) error) error {
	for {
		var err error
		panicked := Catch(func() { err = part(ctx) })
		if panicked == nil {
			return err
		}
		log.Error("a part panicked and starts again", "part", name, "error", panicked)
		if !Sleep(ctx, restartPause) {
			return nil
		}
	}
}
