package gateway

import (
	"sync/atomic"

	"github.com/hubgate/hubgate/internal/setting"
)

// secrets reads secrets when they are used, so that a rotated one takes effect without a reload. They are empty before
// the first generation.
type secrets struct {
	current *atomic.Pointer[generation]
	getenv  func(string) string
}

// redisCredentials returns the user and password for a new connection to Redis.
func (s *secrets) redisCredentials() (username, password string) {
	gen := s.current.Load()
	if gen == nil {
		return "", ""
	}
	cfg := gen.cfg.Session.Redis
	return cfg.Username, gen.report.SecretNow("session.redis.password", cfg.Password, s.getenv)
}

// sentinelPassword returns the password for a new connection to a sentinel.
func (s *secrets) sentinelPassword() string {
	gen := s.current.Load()
	if gen == nil {
		return ""
	}
	return gen.report.SecretNow("session.redis.sentinel_password", gen.cfg.Session.Redis.SentinelPassword, s.getenv)
}

// hubspotToken returns HubSpot's access token. HubSpot accepts a rotated key for seven more days.
func (s *secrets) hubspotToken() string {
	gen := s.current.Load()
	if gen == nil {
		return ""
	}
	return gen.report.SecretNow("hubspot.access_token", gen.cfg.HubSpot.AccessToken, s.getenv)
}

// hubID returns the configured HubSpot account, or 0.
func (s *secrets) hubID() int64 {
	if gen := s.current.Load(); gen != nil {
		return gen.cfg.HubSpot.HubID
	}
	return 0
}

func revealed(all []setting.Secret) []string {
	texts := make([]string, len(all))
	for i, s := range all {
		texts[i] = s.Reveal()
	}
	return texts
}
