package gateway

import (
	"context"
	"time"

	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/redisclient"
	"github.com/hubgate/hubgate/internal/trace"
)

// redisObserver records the commands and the state of Redis in the metrics.
type redisObserver struct{ metrics *dependency.Metrics }

// observe records a command.
func (o redisObserver) observe(ctx context.Context, err error, took time.Duration) {
	o.metrics.Observe(dependency.Redis, dependency.Call{
		Op: dependency.OpCommand, Result: dependency.ResultOf(err), Took: took, TraceID: trace.RecordedID(ctx),
	})
}

// report records the result of a probe. Commands do not change the state.
func (o redisObserver) report(r redisclient.Result) {
	detail := "answers"
	switch r.Status() {
	case redisclient.ReadOnly:
		detail = "answers, but refuses writes"
	case redisclient.Down:
		detail = "does not answer"
	}
	o.metrics.SetUp(dependency.Redis, r.Status() == redisclient.Serving, detail)
}
