package session

import (
	"context"
	"log/slog"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hubgate/hubgate/internal/redisclient"
	"github.com/hubgate/hubgate/internal/redisserver"
)

// monitor examines Redis whenever it comes up, and reports its health.
type monitor struct {
	rdb       redis.UniversalClient
	state     func() redisclient.State
	downSince func() time.Time // the subscription; zero = it is up
	log       *slog.Logger
	began     time.Time
	redisUp   chan struct{}
	lastExam  atomic.Pointer[redisserver.Examination]
}

func (mon *monitor) health() (ok bool, detail string, since time.Time) {
	state, exam, down := mon.state(), mon.lastExam.Load(), mon.downSince()
	switch {
	case state.Since.IsZero():
		return true, "not asked yet", mon.began
	case state.Down:
		return false, "unavailable: sessions cannot be loaded", state.Since
	case state.ReadOnly:
		return false, "read-only: sessions stay valid, logins fail", state.Since
	case !down.IsZero():
		return false, "its subscription is interrupted: every request asks Redis", down
	case exam != nil && exam.TooOld:
		return false, "version " + exam.Version + " is too old: hubgate needs Redis 6.2 or newer", state.Since
	case exam != nil && exam.Version != "":
		detail = ", version " + exam.Version
		for _, w := range exam.Warnings {
			detail += "; " + w.Detail
		}
	}
	return true, "answers" + detail, state.Since
}

// examineAgain makes loop examine Redis, which may be another server now.
func (mon *monitor) examineAgain() {
	select {
	case mon.redisUp <- struct{}{}:
	default:
	}
}

// loop examines Redis and logs what is wrong with it, until ctx ends.
func (mon *monitor) loop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-mon.redisUp:
		}
		x, err := redisserver.Examine(ctx, mon.rdb)
		if err != nil {
			continue // it is down again
		}
		if last := mon.lastExam.Swap(&x); last != nil && reflect.DeepEqual(*last, x) {
			continue
		}
		switch {
		case x.TooOld:
			mon.log.Error("redis is too old: hubgate needs 6.2 or newer", "version", x.Version)
		case x.Version != "":
			mon.log.Info("redis answers", "version", x.Version)
		}
		for _, w := range x.Warnings {
			mon.log.Warn("redis: "+w.Detail, "cure", w.Cure)
		}
	}
}
