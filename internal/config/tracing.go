package config

import (
	"fmt"
	"net/url"

	"github.com/hubgate/hubgate/internal/inbound"
	"github.com/hubgate/hubgate/internal/setting"
	"github.com/hubgate/hubgate/internal/trace"
)

// TracingConfig is the section tracing of the YAML file.
type TracingConfig struct {
	Endpoint string        `yaml:"endpoint" json:"endpoint"` // OTLP/HTTP; empty = no tracing
	Sample   setting.Share `yaml:"sample" json:"sample"`     // of the traces that begin here
}

func defaultTracing() TracingConfig { return TracingConfig{Sample: 1} }

// Validate returns what is wrong with the section.
func (c TracingConfig) Validate() []setting.Problem {
	const key, cure = "tracing.endpoint", "write the collector's OTLP/HTTP address, such as http://127.0.0.1:4318"
	u, err := url.Parse(c.Endpoint)
	switch {
	case c.Endpoint == "" && c.Sample != 1:
		return setting.Mistake("tracing.sample", "has no effect without tracing.endpoint",
			"write the collector's address in tracing.endpoint, or remove sample")
	case c.Endpoint == "":
		return nil
	case !trace.Available:
		return setting.Mistake(key, "this binary was built without tracing", "remove it, or build without the tag notrace")
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
		return setting.Mistake(key, fmt.Sprintf("%q is not a URL with scheme and host", setting.Shorten(c.Endpoint)), cure)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return setting.Mistake(key, "has more than scheme, host, port and path",
			cure+"; set headers in OTEL_EXPORTER_OTLP_HEADERS")
	case u.Scheme == "http" && !inbound.IsLoopback(u.Hostname()):
		return warning(key, "spans are sent unencrypted",
			"write https://, or make sure that the network to the collector is trusted")
	}
	return nil
}
