package session

import (
	"errors"
	"net"
	"strings"

	"github.com/redis/go-redis/v9"
)

// heard acts on what the subscription receives. That it stands is known from its confirmation; from then on nothing is missed.
func (m *Manager) heard(message any) {
	switch v := message.(type) {
	case *redis.Subscription:
		if v.Kind == "subscribe" {
			m.epoch.Store((m.epoch.Load()/2 + 1) * 2) // the next even number: what was cached before is unconfirmed
			if m.deaf.Swap(nil) != nil {
				m.deps.Log.Info("the subscription to redis is back")
			}
			m.endAgain()
			signal(m.arrived)
			signal(m.resumed)
		}
	case *redis.Message:
		m.told(v.Payload)
	}
}

// signal tells whoever waits, once however often it is called meanwhile.
func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func isAnswer(err error) bool {
	var answer redis.Error
	return errors.As(err, &answer)
}

func isWrongType(err error) bool { return err != nil && strings.HasPrefix(err.Error(), "WRONGTYPE") }
