package logging

import (
	"log/slog"
)

// lineClass decides which lines are dropped first when they come faster than they can be written.
type lineClass uint8

// The classes. Access lines are dropped first: they may fill three quarters of the buffer that they share with
// application lines. Audit lines and the notice about lost lines have separate buffers.
const (
	classApplication lineClass = iota
	classAccess
	classAudit
	classNotice
	classes
)

// The components whose lines are not of the class application.
const (
	accessComponent = "access"
	auditComponent  = "audit"
	noticeComponent = "log"
)

// classed is a component whose lines are of another class than its name implies.
type classed struct {
	component string
	class     lineClass
}

// LogValue returns the name of the component.
func (c classed) LogValue() slog.Value { return slog.StringValue(c.component) }

// classOf returns the class that an attribute gives a line, otherwise the current one.
func classOf(a slog.Attr, current lineClass) lineClass {
	if c, ok := a.Value.Any().(classed); ok {
		return c.class
	}
	if a.Key == "component" && a.Value.Kind() == slog.KindString {
		switch a.Value.String() {
		case accessComponent:
			return classAccess
		case auditComponent:
			return classAudit
		case noticeComponent:
			return classNotice
		}
	}
	return current
}
