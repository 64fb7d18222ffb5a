package session

import (
	"context"
	"errors"
	"testing"

	"github.com/redis/go-redis/v9"
)

// noPublish is a hook that refuses PUBLISH as Redis does for a user without channels.
type noPublish struct{ err error }

func (h *noPublish) DialHook(next redis.DialHook) redis.DialHook { return next }
func (h *noPublish) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (h *noPublish) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "publish" && h.err != nil {
			cmd.SetErr(h.err)
			return h.err
		}
		return next(ctx, cmd)
	}
}

func TestEndWorksWithoutPermissionToPublish(t *testing.T) {
	t.Parallel()
	for text, ends := range map[string]bool{
		"NOPERM No permissions to access a channel":                                 true,
		"NOPERM this user has no permissions to run the 'publish' command":          true,
		"NOPERM User hubgate has no permissions to access the 'hubgate:ch' channel": true,
		"LOADING Redis is loading the dataset in memory":                            false,
	} {
		w := newWorld(t)
		m := w.replica(nil)
		_, s := w.login(m, ada())
		hook := &noPublish{errors.New(text)}
		m.deps.Redis.(*redis.Client).AddHook(hook)
		existed, err := m.EndRef(t.Context(), s.Ref)
		if ends != (existed && err == nil) || (m.PublishCure() != "") != ends {
			t.Errorf("%s: %v %v, cure %q", text, existed, err, m.PublishCure())
		}
		hook.err = nil
		_, s = w.login(m, ada())
		if existed, err := m.EndRef(t.Context(), s.Ref); !existed || err != nil || m.PublishCure() != "" {
			t.Errorf("%s, afterwards: %v %v, cure %q", text, existed, err, m.PublishCure())
		}
	}
}
