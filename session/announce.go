package session

import (
	"context"
	"strings"
)

// announce tells the other replicas of an ending or a change that Redis has taken already. A user that may not publish
// does not undo it: they notice within cache_ttl.
func (m *Manager) announce(ctx context.Context, message string) error {
	err := m.deps.Redis.Publish(ctx, m.channel(), message).Err()
	if err == nil {
		m.mute.Store(false)
		return nil
	}
	if !strings.HasPrefix(err.Error(), "NOPERM") {
		return err
	}
	if !m.mute.Swap(true) {
		m.deps.Log.Warn("redis does not let hubgate publish: other replicas notice within session.cache_ttl that a session ended",
			"error", err, "cure", m.PublishCure())
	}
	return nil
}

// Mute reports whether Redis does not let this replica tell the others that a session ended.
func (m *Manager) Mute() bool { return m.mute.Load() }

// PublishCure is how the Redis user gets the right to publish.
func (m *Manager) PublishCure() string {
	return "ACL SETUSER <user> +publish +subscribe &" + m.channel()
}
