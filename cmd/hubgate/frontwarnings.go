package main

import (
	"log/slog"
	"sync"

	"github.com/hubgate/hubgate/internal/inbound"
)

// frontWarnings says once per process what the requests tell about a mis-set balancer.
type frontWarnings struct {
	log                *slog.Logger
	scheme, forwarding sync.Once
}

func (fw *frontWarnings) look(f *inbound.Facts) {
	if f.Trusted && f.Scheme == "" && f.Site.Secure() {
		fw.scheme.Do(func() {
			fw.log.Warn("a trusted proxy sends no X-Forwarded-Proto, so requests by http cannot be told from https; let it send the header",
				"peer", f.Peer.String())
		})
	}
	if f.UntrustedForwarding {
		fw.forwarding.Do(func() {
			fw.log.Warn("an address in front sends X-Forwarded-For but is not in server.trusted_proxies, so every visitor seems to come from it; list it there",
				"peer", f.Peer.String())
		})
	}
}
