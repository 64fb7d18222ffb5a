package logging

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// jsonLines is a slog.Handler that writes what slog's own JSON handler writes. That one would cost a busy gateway a
// third of all it does: this one is made for lines of plain values.
type jsonLines struct {
	out    *Writer
	level  slog.Leveler
	emails *EmailPolicy
	fixed  []byte // the attributes of With, as they are written
	groups int    // objects that are open at the end of fixed
	class  Class
}

// Enabled tells whether lines of a level are written.
func (h *jsonLines) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.level.Level()
}

// WithAttrs returns a handler whose lines begin with more attributes.
func (h *jsonLines) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	next.fixed = slices.Clip(h.fixed)
	for _, a := range attrs {
		next.class = classOf(a, next.class)
		next.fixed = next.attr(next.fixed, a)
	}
	return &next
}

// WithGroup returns a handler whose further attributes stand in an object.
func (h *jsonLines) WithGroup(name string) slog.Handler {
	next := *h
	next.fixed = append(appendText(append(slices.Clip(h.fixed), ','), name), ':', '{')
	next.groups++
	return &next
}

// Handle writes a line.
func (h *jsonLines) Handle(_ context.Context, line slog.Record) error {
	h.out.Line(h.class, func(b []byte) []byte {
		b = append(b, '{')
		if !line.Time.IsZero() {
			b = append(line.Time.Round(0).AppendFormat(append(b, `"time":"`...), time.RFC3339Nano), `",`...)
		}
		b = append(append(append(b, `"level":"`...), line.Level.String()...), `","msg":`...)
		b = append(appendText(b, line.Message), h.fixed...)
		line.Attrs(func(a slog.Attr) bool { b = h.attr(b, a); return true })
		for range h.groups {
			b = append(b, '}')
		}
		return append(b, '}', '\n')
	})
	return nil
}

// attr appends one attribute, after a comma unless it is the first of its object.
func (h *jsonLines) attr(b []byte, a slog.Attr) []byte {
	if a.Key == EmailKey {
		a = h.emails.attr(a.Value.String())
	}
	a.Value = a.Value.Resolve()
	if a.Equal(slog.Attr{}) {
		return b
	}
	if a.Value.Kind() == slog.KindGroup {
		return h.group(b, a)
	}
	if len(b) == 0 || b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return appendValue(append(appendText(b, a.Key), ':'), a.Value)
}

// group appends attributes in an object, or where they are when the group has no name.
func (h *jsonLines) group(b []byte, a slog.Attr) []byte {
	if len(a.Value.Group()) == 0 {
		return b
	}
	if a.Key != "" {
		if len(b) == 0 || b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = append(appendText(b, a.Key), ':', '{')
	}
	for _, member := range a.Value.Group() {
		b = h.attr(b, member)
	}
	if a.Key != "" {
		b = append(b, '}')
	}
	return b
}

func appendValue(b []byte, v slog.Value) []byte {
	switch v.Kind() {
	case slog.KindString:
		return appendText(b, v.String())
	case slog.KindInt64:
		return strconv.AppendInt(b, v.Int64(), 10)
	case slog.KindUint64:
		return strconv.AppendUint(b, v.Uint64(), 10)
	case slog.KindBool:
		return strconv.AppendBool(b, v.Bool())
	case slog.KindDuration:
		return strconv.AppendInt(b, int64(v.Duration()), 10)
	case slog.KindTime:
		return append(v.Time().AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
	case slog.KindFloat64:
		if f := math.Abs(v.Float64()); f == 0 || (f >= 1e-6 && f < 1e21) {
			return strconv.AppendFloat(b, v.Float64(), 'f', -1, 64)
		}
	}
	if err, ok := v.Any().(error); ok {
		if _, special := v.Any().(json.Marshaler); !special {
			return appendText(b, err.Error())
		}
	}
	text, err := json.Marshal(v.Any())
	if err != nil {
		return appendText(b, fmt.Sprintf("!ERROR:%v", err))
	}
	return appendVisible(b, text)
}

// appendText appends a JSON string. What is not plain is left to encoding/json, so that no text can end a string or a line (log
// forging, XS-06).
func appendText(b []byte, text string) []byte {
	for i := 0; i < len(text); i++ {
		if c := text[i]; c < ' ' || c == 0x7f || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			quoted, _ := json.Marshal(text) // a string can always be one
			return appendVisible(b, quoted)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}

// appendVisible appends JSON, whose strings alone can hold them, with the controls escaped that encoding/json leaves as they are: C1
// controls are commands to a terminal (U+009B is ESC [), and marks of direction make a line read as another (XS-06).
func appendVisible(b, text []byte) []byte {
	for _, c := range string(text) {
		if unsafeToShow(c) {
			b = fmt.Appendf(b, `\u%04x`, c)
		} else {
			b = utf8.AppendRune(b, c)
		}
	}
	return b
}

func unsafeToShow(c rune) bool {
	return c >= 0x7f && c <= 0x9f || c == 0x200e || c == 0x200f || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069
}
