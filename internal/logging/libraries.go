package logging

import (
	"context"
	"fmt"
	"log"
	"log/slog"

	"github.com/redis/go-redis/v9"
)

// redisLog gives go-redis, which logs to a global, the process's own log.
type redisLog struct{ log *slog.Logger }

func (l redisLog) Printf(_ context.Context, format string, v ...any) {
	l.log.Debug("redis client", "message", Capped(fmt.Sprintf(format, v...)))
}

func LogRedis(log *slog.Logger) { redis.SetLogger(redisLog{Component(log, "redis")}) }

// LogLibraries sends what libraries print to the process's own log. They know only the global loggers, which write to
// stderr themselves: whoever has such a line to print would wait for its reader. It is called once, by serve.
func LogLibraries(l *slog.Logger) {
	LogRedis(l)
	log.SetFlags(0)
	log.SetOutput(slog.NewLogLogger(Component(l, "server").Handler(), slog.LevelDebug).Writer())
}
