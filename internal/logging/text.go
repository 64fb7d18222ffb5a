package logging

import (
	"context"
	"log/slog"
)

// logComponent is the component of the line that says how many others were lost.
const logComponent = "log"

// classOf is the class of lines that have an attribute; otherwise it is the one that they had.
func classOf(a slog.Attr, had Class) Class {
	if c, ok := a.Value.Any().(classed); ok {
		return c.class
	}
	if a.Key == "component" && a.Value.Kind() == slog.KindString {
		switch a.Value.String() {
		case "access":
			return Access
		case "audit":
			return Audit
		case logComponent:
			return Notice
		}
	}
	return had
}

// classed is a component whose lines have another class than its name alone would give them.
type classed struct {
	component string
	class     Class
}

// LogValue is the component's name.
func (c classed) LogValue() slog.Value { return slog.StringValue(c.component) }

// textLines is slog's text handler in front of a log whose lines have classes: one handler for each, which differ in
// nothing else.
type textLines struct {
	of    [Notice + 1]slog.Handler
	class Class
}

func newTextLines(out *Writer, level slog.Leveler, emails *EmailPolicy) textLines {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == EmailKey {
			return emails.attr(a.Value.String())
		}
		return a
	}}
	var t textLines
	for class := range t.of {
		t.of[class] = slog.NewTextHandler(classWriter{out, Class(class)}, options)
	}
	return t
}

// Enabled reports whether lines of a level are written.
func (t textLines) Enabled(ctx context.Context, level slog.Level) bool {
	return t.of[t.class].Enabled(ctx, level)
}

// Handle writes a line.
func (t textLines) Handle(ctx context.Context, line slog.Record) error {
	return t.of[t.class].Handle(ctx, line)
}

// WithAttrs returns a handler whose lines begin with more attributes.
func (t textLines) WithAttrs(attrs []slog.Attr) slog.Handler {
	for class, h := range t.of {
		t.of[class] = h.WithAttrs(attrs)
	}
	for _, a := range attrs {
		t.class = classOf(a, t.class)
	}
	return t
}

// WithGroup returns a handler whose further attributes are in a group.
func (t textLines) WithGroup(name string) slog.Handler {
	for class, h := range t.of {
		t.of[class] = h.WithGroup(name)
	}
	return t
}

// classWriter queues what is written to it as lines of a class.
type classWriter struct {
	out   *Writer
	class Class
}

func (w classWriter) Write(p []byte) (int, error) {
	w.out.Line(w.class, func(b []byte) []byte { return append(b, p...) })
	return len(p), nil
}
