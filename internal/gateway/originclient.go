package gateway

import (
	"net/http"

	"github.com/hubgate/hubgate/internal/dependency"
	"github.com/hubgate/hubgate/internal/trace"
	"github.com/hubgate/hubgate/proxy"
)

// pageMaxBody means no limit, because pages are streamed.
const pageMaxBody = 0

// originClient has the connections to the origin.
type originClient struct {
	transport http.RoundTripper // measured and traced
	probe     http.RoundTripper // the same connections, for requests that do not count as pages
	closeIdle func()
}

// originFor returns the last connections if the origin, its TLS name and the timeouts are unchanged.
func originFor(
	cfg proxy.Config, last *generation, tracer *trace.Tracer, metrics *dependency.Metrics,
) (*originClient, error) {
	if last != nil {
		was := last.cfg.Proxy
		if was.Origin == cfg.Origin && was.OriginHost == cfg.OriginHost && was.Timeouts == cfg.Timeouts {
			return last.origin, nil
		}
	}
	connections, err := proxy.NewTransport(cfg)
	if err != nil {
		return nil, err
	}
	measured := dependency.Measured(dependency.ClientConfig{
		Name: dependency.HubSpotSite, MaxBody: pageMaxBody, Metrics: metrics, TraceID: trace.RecordedID,
	}, connections)
	traced := tracer.Transport(dependency.HubSpotSite, measured)
	return &originClient{traced, connections, connections.CloseIdleConnections}, nil
}

// closeReplaced closes the idle connections of the last generation if this one has others.
func (c *originClient) closeReplaced(last *originClient) {
	if c != last {
		last.closeIdle()
	}
}
