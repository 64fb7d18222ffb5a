package logging

import (
	"context"
	"log/slog"
)

// textLines writes lines by slog's text handler: one handler for each class, which differ in nothing else.
type textLines struct {
	handlers [classes]slog.Handler
	class    lineClass
}

func newTextLines(out *Writer, level slog.Leveler, emails *EmailPolicy) textLines {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == EmailKey {
			return emails.attr(a.Value.String())
		}
		return a
	}}
	var t textLines
	for class := range t.handlers {
		t.handlers[class] = slog.NewTextHandler(classWriter{out, lineClass(class)}, options)
	}
	return t
}

// Enabled reports whether lines of a level are written.
func (t textLines) Enabled(ctx context.Context, level slog.Level) bool {
	return t.handlers[t.class].Enabled(ctx, level)
}

// Handle writes a line.
func (t textLines) Handle(ctx context.Context, line slog.Record) error {
	return t.handlers[t.class].Handle(ctx, line)
}

// WithAttrs returns a handler whose lines begin with more attributes.
func (t textLines) WithAttrs(attrs []slog.Attr) slog.Handler {
	for class, h := range t.handlers {
		t.handlers[class] = h.WithAttrs(attrs)
	}
	for _, a := range attrs {
		t.class = classOf(a, t.class)
	}
	return t
}

// WithGroup returns a handler whose further attributes are in a group.
func (t textLines) WithGroup(name string) slog.Handler {
	for class, h := range t.handlers {
		t.handlers[class] = h.WithGroup(name)
	}
	return t
}

// classWriter queues what is written to it as a line of a class.
type classWriter struct {
	out   *Writer
	class lineClass
}

func (w classWriter) Write(p []byte) (int, error) {
	w.out.queue(w.class, func(b []byte) []byte { return append(b, p...) })
	return len(p), nil
}
