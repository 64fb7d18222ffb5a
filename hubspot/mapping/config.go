package mapping

import (
	"github.com/hubgate/hubgate/internal/setting"
)

// Config selects the contacts that are synced and the properties that are written.
type Config struct {
	Sync                 bool                `yaml:"sync" json:"sync"`
	RequireVerifiedEmail bool                `yaml:"require_verified_email" json:"require_verified_email"`
	MinInterval          setting.Duration    `yaml:"min_interval" json:"min_interval"`
	Skip                 Skip                `yaml:"skip" json:"skip"`
	Properties           map[string]Property `yaml:"properties" json:"properties"`
}

// Skip selects people who must not become contacts.
type Skip struct {
	Groups       []string `yaml:"groups" json:"groups"`
	EmailDomains []string `yaml:"email_domains" json:"email_domains"`
}

// Property is the source of one HubSpot property: exactly one of Claim, Value and Constant.
type Property struct {
	Claim    string `yaml:"claim" json:"claim"`
	Value    string `yaml:"value" json:"value"` // login_time | login_count | host | first_page
	Constant string `yaml:"constant" json:"constant"`
	Write    string `yaml:"write" json:"write"` // always | if_empty | create_only; "" = always
}

// SetWord treats a plain word as the name of a claim.
func (p *Property) SetWord(text string) error {
	*p = Property{Claim: text}
	return nil
}
