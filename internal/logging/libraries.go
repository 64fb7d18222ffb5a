package logging

import (
	"context"
	"fmt"
	"log"
	"log/slog"

	"github.com/redis/go-redis/v9"
)

// redisLogger passes the messages of go-redis on as debug lines.
type redisLogger struct{ log *slog.Logger }

func (l redisLogger) Printf(_ context.Context, format string, v ...any) {
	l.log.Debug("redis client", "message", Capped(fmt.Sprintf(format, v...)))
}

// CaptureRedis sends the messages of go-redis, which has one global logger, to log.
func CaptureRedis(log *slog.Logger) { redis.SetLogger(redisLogger{Component(log, "redis")}) }

// CaptureLibraries sends what libraries print to l. They use the global loggers, which write to stderr directly, so
// that a slow reader of stderr would block them.
func CaptureLibraries(l *slog.Logger) {
	CaptureRedis(l)
	log.SetFlags(0)
	log.SetOutput(slog.NewLogLogger(Component(l, "server").Handler(), slog.LevelDebug).Writer())
}
