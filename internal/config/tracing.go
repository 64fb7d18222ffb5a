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

// Validate says what is wrong with the section.
func (c TracingConfig) Validate() []setting.Problem {
	bad := func(text, cure string) []setting.Problem {
		return []setting.Problem{{Key: "tracing.endpoint", Text: text, Cure: cure}}
	}
	const spelling = "write the collector's OTLP/HTTP address, such as http://127.0.0.1:4318"
	u, err := url.Parse(c.Endpoint)
	switch {
	case c.Endpoint == "" && c.Sample != 1:
		return []setting.Problem{{Key: "tracing.sample", Text: "has no effect without tracing.endpoint", Cure: "write the collector's address in tracing.endpoint, or remove sample"}}
	case c.Endpoint == "":
		return nil
	case !trace.Available:
		return bad("this binary was built without tracing", "remove it, or build without the tag notrace")
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
		return bad(fmt.Sprintf("%q is not a URL with scheme and host", setting.Shorten(c.Endpoint)), spelling)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return bad("has more than scheme, host, port and path", spelling+"; set headers in OTEL_EXPORTER_OTLP_HEADERS")
	case u.Scheme == "http" && !inbound.IsLoopback(u.Hostname()):
		problems := bad("spans are sent unencrypted", "write https://, or make sure that the network to the collector is trusted")
		problems[0].Warning = true
		return problems
	}
	return nil
}
