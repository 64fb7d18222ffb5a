package gateway

import (
	"context"
	"time"

	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/redisclient"
	"github.com/hubgate/hubgate/internal/trace"
)

func (g *gateway) observeRedis(ctx context.Context, err error, took time.Duration) {
	g.dependencies.Observe(dependency.Redis, dependency.Call{
		Op: dependency.OpCommand, Result: dependency.ResultOf(err), Took: took, TraceID: trace.RecordedID(ctx),
	})
}

// reportRedis makes what the probe found the state of Redis that operators see.
func (g *gateway) reportRedis(found redisclient.Result) {
	detail := "answers"
	switch found.Status() {
	case redisclient.ReadOnly:
		detail = "answers, but takes no writes"
	case redisclient.Down:
		detail = "does not answer"
	}
	g.dependencies.SetUp(dependency.Redis, found.Status() == redisclient.Serving, detail)
}
