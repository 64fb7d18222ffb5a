package access

import (
	"time"

	"github.com/hubgate/hubgate/internal/setting"
)

// Config is the section hubspot.access: what rules may ask HubSpot about a visitor.
type Config struct {
	Properties      []string          `yaml:"properties" json:"properties"` // rules read them as hubspot.NAME
	Lists           map[string]ListID `yaml:"lists" json:"lists"`           // name in rules: id in HubSpot
	Refresh         setting.Duration  `yaml:"refresh" json:"refresh"`
	MaxStale        setting.Duration  `yaml:"max_stale" json:"max_stale"`
	AllowFormFields []string          `yaml:"allow_form_fields" json:"allow_form_fields"`
}

// ListID is the id of a list of contacts in HubSpot, a positive whole number in decimal digits. It is kept as text,
// because HubSpot's API sends and accepts it as text.
type ListID string

// DefaultConfig returns the defaults of the section.
func DefaultConfig() Config {
	return Config{Refresh: setting.Duration(15 * time.Minute), MaxStale: setting.Duration(4 * time.Hour)}
}

// On reports whether rules may ask for a property or a list. If not, HubSpot is never asked about visitors.
func (c Config) On() bool { return len(c.Properties) > 0 || len(c.Lists) > 0 }
