package openid

import (
	"sync"

	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/session"
)

// crmClaims drops the claims under whose names rules read what HubSpot said about a person. Many providers let people
// set attributes of their own: such a claim must not grant what only HubSpot may grant (CWE-290).
type crmClaims struct {
	mu       sync.Mutex
	reported map[string]bool // names that were logged
}

// maxReported limits the memory for names that a provider chooses.
const maxReported = 100

// dropCRMClaims removes such claims, and logs each name once.
func (p *Provider) dropCRMClaims(claims map[string]any) {
	for name := range claims {
		if !session.IsCRMClaim(name) {
			continue
		}
		delete(claims, name)
		if p.crmClaims.firstTime(name) {
			p.deps.Log.Warn("claim ignored: rules read this name from HubSpot, not from the provider",
				"claim", setting.Shorten(name), "cure", "give the claim another name at the provider, or do not send it")
		}
	}
}

func (c *crmClaims) firstTime(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reported[name] || len(c.reported) >= maxReported {
		return false
	}
	if c.reported == nil {
		c.reported = map[string]bool{}
	}
	c.reported[name] = true
	return true
}
