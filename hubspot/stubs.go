package hubspot

import (
	"context"

	"github.com/hubgate/hubgate/internal/setting"
)

// Validate checks the section.
func (c Config) Validate() []setting.Problem { return nil }

type mapping struct{}

func newMapping(ContactsConfig) *mapping { return &mapping{} }
func (m *mapping) skip(Login) string     { return "" }
func trimmed(l Login) Login              { return l }

type outbox struct{ keys struct{} }
type entry struct{ Login Login }

func newOutbox(Deps) *outbox                       { return &outbox{} }
func (o *outbox) add(context.Context, entry) error { return nil }
func (o *outbox) logHash(Login) string             { return "" }

type limit struct{}

func newLimit(Deps, struct{}) *limit { return &limit{} }
func (l *limit) set(setting.Rate)    {}

type client struct {
	deps  Deps
	limit *limit
}

func (c *client) set(Config) {}
